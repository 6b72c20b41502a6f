using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Flotta.EndToEnd;

namespace Flotta.KubernetesTests;

/// <summary>
/// A fleet at an embedded control plane, whose installation moves into a cluster and back while the fleet goes on calling the same address. Fifty devices;
/// FLOTTA_SOAK=1 makes it five hundred.
/// </summary>
public sealed partial class MigrationTests(ITestOutputHelper log)
{
    private static readonly int Devices = Environment.GetEnvironmentVariable("FLOTTA_SOAK") is null ? 50 : 500;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly System.Diagnostics.Stopwatch clock = System.Diagnostics.Stopwatch.StartNew();

    [Fact]
    public async Task A_fleet_follows_its_control_plane_into_a_cluster_and_back_and_notices_nothing()
    {
        Assert.SkipWhen(KubeApiServer.Missing is not null, KubeApiServer.Missing ?? "");
        using var folder = new TemporaryFolder();
        await using var cluster = await KubeApiServer.StartAsync(TestContext.Current.CancellationToken);
        var target = new Cluster(folder.Sub("cluster"), cluster);
        await using var plane = await EmbeddedControlPlane.StartAsync(folder.Sub("embedded"), "--auto-approve");
        await using var fleet = SimulatedFleet.Start(
            plane, folder.Path, "steady", "--devices", $"{Devices}", "--state", folder.Sub("identities"), "--for", "1h", "--period", "5s", "--start-time", "1s");
        await fleet.IsServedAsync(Patience);
        await FurnishAsync(plane);
        var before = await SettledAsync(plane);
        Say($"{Devices} devices enrolled and run the workload");

        // Into the cluster, killed on the way.
        var refused = await MigrateAsync(plane.Folder, target, exitCode: 1);
        refused.ShouldContain("in use by another process");
        await plane.StopAsync();
        Say("embedded control plane stopped");
        (await MigrateAsync(plane.Folder, target, exitCode: 0, "--dry-run")).ShouldContain("create edgedevices default/fleet-00001");
        await KilledMigrationsAsync(plane.Folder, target);
        var moved = await MigrateAsync(plane.Folder, target, exitCode: 0);
        log.WriteLine(moved);
        Verified(moved).ShouldBe(Devices);
        (await MigrateAsync(plane.Folder, target, exitCode: 0)).ShouldContain("already done");
        Say("moved into the cluster");
        (await RunningProgram.RunAsync(Programs.Flotta, ["up", "--data-dir", plane.Folder, "--kube-port", "0", "--edge-port", "0", "--metrics-port", "0"])).Said.ShouldContain("has been moved");

        await Deployment.ApplyAsync(target.Admin, TestContext.Current.CancellationToken);
        await using (var roles = await Roles.StartAsync(target, plane.EdgeServer, "in-the-cluster"))
        {
            await AllTalkToAsync(target, "in-the-cluster");
            Say("the whole fleet talks to the cluster");
            (await SettledAsync(target)).ShouldBe(before);
            (await target.KubectlAsync("get", "edsr", "-o", "name")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(Devices);
            (await target.KubectlAsync("get", "rolebinding", "fleet-people", "-o", "jsonpath={.roleRef.name}")).ShouldBe("edit");

            // While its programs run, a cluster is not copied.
            (await RestoreAsync(folder.Sub("back"), target, exitCode: 1)).ShouldContain("is held by a program that runs");
        }

        // And back.
        var back = folder.Sub("back");
        (await RestoreAsync(back, target, exitCode: 0, "--dry-run")).ShouldContain("create edgedevices default/fleet-00001");
        var restored = await RestoreAsync(back, target, exitCode: 0);
        log.WriteLine(restored);
        Verified(restored).ShouldBe(Devices);
        Say("restored into an embedded installation");
        await using (var up = RunningProgram.Start(
            Programs.Flotta, ["up", "--data-dir", back, "--kube-port", "0", "--edge-port", Port(plane.EdgeServer), "--metrics-port", "0"], new Dictionary<string, string> { ["POD_NAME"] = "at-home" }))
        {
            await up.LineAsync(line => line.StartsWith("ready ", StringComparison.Ordinal), Patience);
            var home = new Cluster(back, null);
            await AllTalkToAsync(home, "at-home");
            (await SettledAsync(home)).ShouldBe(before);
            Say("the whole fleet talks to the embedded control plane");
            await PausedAsync(target);

            fleet.Program.Interrupt();
            var report = await fleet.EndsAsync(TimeSpan.FromSeconds(30));
            var kinds = report["requests"]!.AsObject().Select(kind => kind.Key).ToList();
            kinds.ShouldContain("heartbeat");
            kinds.ShouldNotContain("enrolment");
            kinds.ShouldNotContain("registration");
            kinds.ShouldNotContain("renewal");
            log.WriteLine(report["requests"]!.ToJsonString());
            log.WriteLine((report["outages"] ?? "no outages").ToJsonString());
        }
    }

    // Kept by the Lease that the way back holds: nothing of the cluster begins by itself.
    private static async Task PausedAsync(Cluster target)
    {
        await using var program = RunningProgram.Start(Programs.Flotta, ["operator", "--kubeconfig", target.Kubeconfig, "--metrics-port", "0"]);
        await program.LineAsync(line => line.Contains("objects are being moved", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
        program.Said.ShouldNotContain("ready ");
    }

    private static async Task FurnishAsync(ControlPlane plane)
    {
        await plane.KubectlAsync("create", "secret", "generic", "password", "--from-literal=p=secret");
        await plane.KubectlAsync("create", "configmap", "greeting", "--from-literal=text=hello");
        await plane.KubectlAsync("create", "rolebinding", "fleet-people", "--clusterrole=edit", "--group=dev");
        await plane.ApplyAsync("""
            apiVersion: management.project-flotta.io/v1alpha1
            kind: EdgeWorkload
            metadata: { name: hello }
            spec:
              deviceSelector: { matchLabels: { device.system-manufacturer: flotta-fleet } }
              type: pod
              pod: { spec: { containers: [ { name: c, image: localhost/flotta-hello:1, envFrom: [ { secretRef: { name: password } }, { configMapRef: { name: greeting } } ] } ] } }
            """);
    }

    /// <summary>Per device what must not change: its certificate, its configuration's version, and since when the workload has been running.</summary>
    private static async Task<string> SettledAsync(ControlPlane plane)
    {
        const string Facts = """jsonpath={range .items[*]}{.metadata.name} {.status.certificate.serial} {.status.certificate.confirmed} {.status.lastSyncedResourceVersion} {.status.workloads[*].name} {.status.workloads[*].phase} {.status.workloads[*].lastTransitionTime} {.metadata.labels.workload/hello}{"\n"}{end}""";
        var last = "";
        await Eventually.TrueAsync(
            async () =>
            {
                last = (await plane.KubectlAsync("get", "edgedevices", "--chunk-size=0", "-o", Facts)).Trim();
                var lines = last.Split('\n');
                return lines.Length == Devices && lines.All(line => line.Contains(" true ", StringComparison.Ordinal) && line.Contains(" hello Running ", StringComparison.Ordinal) && line.EndsWith(" true", StringComparison.Ordinal));
            },
            Patience,
            () => last);
        return last;
    }

    private static Task AllTalkToAsync(ControlPlane plane, string replica) => Eventually.TrueAsync(
        async () => (await plane.KubectlAsync("get", "edgedevices", "-o", """jsonpath={range .items[*]}{.status.connectedTo} {.status.conditions[?(@.type=="Connected")].status}{"\n"}{end}"""))
            .Split('\n').Count(line => line == $"{replica} True") == Devices,
        Patience,
        () => "not all devices came");

    private async Task KilledMigrationsAsync(string data, Cluster target)
    {
        var random = new Random(7);
        for (var kill = 0; kill < 3; kill++)
        {
            await using var program = RunningProgram.Start(Programs.Flotta, ["migrate", "--data-dir", data, "--to", target.Kubeconfig]);
            // When it has got so far with the devices; each run comes further.
            await program.LineAsync(line => line.Contains("objects to move", StringComparison.Ordinal), Patience);
            await Task.Delay(random.Next(20, 40 * Devices / 10));
            program.Kill();
            await program.EndAsync(TimeSpan.FromSeconds(10));
        }

        Say("migration killed three times");
    }

    private static async Task<string> MigrateAsync(string data, Cluster target, int exitCode, params string[] flags) =>
        await RunAsync(exitCode, ["migrate", "--data-dir", data, "--to", target.Kubeconfig, .. flags]);

    private static async Task<string> RestoreAsync(string data, Cluster target, int exitCode, params string[] flags) =>
        await RunAsync(exitCode, ["restore", "--from", target.Kubeconfig, "--data-dir", data, .. flags]);

    private static async Task<string> RunAsync(int exitCode, string[] arguments)
    {
        var (code, _, said) = await RunningProgram.RunAsync(Programs.Flotta, arguments, deadline: Patience);
        code.ShouldBe(exitCode, said);
        return said;
    }

    /// <summary>How many devices the comparison at the end has found the same.</summary>
    private static int Verified(string said) => int.Parse(SameDevices().Match(said).Groups["count"].Value, CultureInfo.InvariantCulture);

    private static string Port(string address) => address[(address.LastIndexOf(':') + 1)..];

    private void Say(string what) => log.WriteLine($"{clock.Elapsed.TotalSeconds,6:0.0} s  {what}");

    [GeneratedRegex(@"edgedevices +(?<count>\d+) +\k<count>  same", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex SameDevices();

    /// <summary>Operator and Edge API against the cluster, with the rights of deploy/kubernetes.</summary>
    private sealed class Roles(RunningProgram theOperator, RunningProgram edge) : IAsyncDisposable
    {
        public static async Task<Roles> StartAsync(Cluster cluster, string edgeServer, string replica)
        {
            async Task<string> AccountAsync(string name)
            {
                var file = Path.Combine(cluster.Folder, name);
                await File.WriteAllTextAsync(file, cluster.Server!.Kubeconfig("system:serviceaccount:flotta:" + name, "system:serviceaccounts", "system:serviceaccounts:flotta", "system:authenticated"));
                return file;
            }

            var roles = new Roles(
                RunningProgram.Start(Programs.Flotta, ["operator", "--kubeconfig", await AccountAsync("flotta-controller-manager"), "--metrics-port", "0"]),
                RunningProgram.Start(
                    Programs.Flotta,
                    ["edge-api", "--kubeconfig", await AccountAsync("flotta-edge-api"), "--metrics-port", "0", "--edge-port", Port(edgeServer)],
                    new Dictionary<string, string> { ["POD_NAME"] = replica }));
            foreach (var program in roles.Both)
                await program.LineAsync(line => line.StartsWith("ready ", StringComparison.Ordinal), Patience);
            return roles;
        }

        private RunningProgram[] Both => [theOperator, edge];

        public async ValueTask DisposeAsync()
        {
            foreach (var program in Both)
            {
                program.Terminate();
                await program.EndAsync(TimeSpan.FromSeconds(30));
                await program.DisposeAsync();
            }
        }
    }
}
