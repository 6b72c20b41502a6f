using System.Globalization;
using Flotta.EndToEnd.Faults;

namespace Flotta.EndToEnd;

/// <summary>What the original's own end-to-end tests ask of a device, as far as no other test here does.</summary>
public sealed class OriginalBehaviourTests(ITestOutputHelper log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Two_containers_on_two_ports_run_a_wrong_label_runs_nothing_and_what_is_made_again_runs_again()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var (first, second, other) = (FreePort.Next(), FreePort.Next(), FreePort.Next());
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Plane.KubectlAsync("label", "edgedevice", "till-07", "app=shop");
        await site.Plane.ApplyAsync(Manifests.Web("elsewhere", other, Manifests.Matching("app", "depot")));
        for (var round = 0; round < 2; round++)
        {
            await site.Plane.ApplyAsync(Twins(first, second));
            await Web.AnswersAsync(first, Patience);
            await Web.AnswersAsync(second, Patience);
            await device.WorkloadIsAsync("twins", "Running");
            // By now the device has what is for it: nothing of the other label.
            (await site.PodsAsync()).ShouldBe(["twins"]);
            var containers = await site.Podman.RunAsync("ps", "--filter", "label=project-flotta.io/workload=twins", "--format", "{{.Names}}");
            containers.ShouldContain("twins-left");
            containers.ShouldContain("twins-right");
            await site.Plane.KubectlAsync("delete", "edgeworkload", "twins", "--timeout=20s");
            await Eventually.TrueAsync(async () => (await site.PodsAsync()).Length == 0, Patience, () => device.Program.Said);
            await Eventually.EqualsAsync("", () => site.Plane.FieldAsync("edgedevice", "till-07", ".status.workloads[*].name"), Patience);
        }
    }

    [Fact]
    public async Task A_network_that_loses_every_tenth_packet_and_one_that_takes_its_time_deliver_a_workload()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        await using var network = new FaultyNetwork(site.Plane.EdgeServer);
        var port = FreePort.Next();
        // The original's tests wait for three minutes.
        var patience = TimeSpan.FromMinutes(2);
        await using (await LostPackets.StartAsync(network.Address.Split(':')[1], 10))
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            await using var device = site.Device("till-07", network.Address);
            await device.IsAsync("Connected", "True", patience);
            await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07"), environment: "lossy"));
            await Web.AnswersAsync(port, patience);
            await device.WorkloadIsAsync("hello", "Running", patience);
            log.WriteLine($"one packet in ten lost: {clock.ElapsedMilliseconds} ms from start to running");
        }

        network.Fault = Fault.Slow;
        var slow = System.Diagnostics.Stopwatch.StartNew();
        await using var late = site.Device("till-08", network.Address);
        await late.IsAsync("Connected", "True", patience);
        await site.Plane.KubectlAsync("delete", "edgeworkload", "hello", "--timeout=20s", "--wait=false");
        await site.Plane.ApplyAsync(Manifests.Web("again", FreePort.Next(), Manifests.OnDevice("till-08"), environment: "slow"));
        await late.WorkloadIsAsync("again", "Running", patience);
        log.WriteLine($"200 ms each way: {slow.ElapsedMilliseconds} ms from start to running");
    }

    private static string Twins(int first, int second) => string.Create(CultureInfo.InvariantCulture, $$"""
        apiVersion: management.project-flotta.io/v1alpha1
        kind: EdgeWorkload
        metadata: { name: twins }
        spec:
          deviceSelector: { matchLabels: { app: shop } }
          type: pod
          pod:
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - name: left
                  image: localhost/flotta-hello:1
                  command: ["/bin/httpd", "-f", "-p", "8080", "-h", "/www"]
                  ports: [{ containerPort: 8080, hostPort: {{first}} }]
                - name: right
                  image: localhost/flotta-hello:1
                  command: ["/bin/httpd", "-f", "-p", "8081", "-h", "/www"]
                  ports: [{ containerPort: 8081, hostPort: {{second}} }]
        """);

    /// <summary>Drops packets to and from a port of this machine, by chance.</summary>
    private sealed class LostPackets(string table) : IAsyncDisposable
    {
        public static async Task<LostPackets> StartAsync(string port, int oneIn)
        {
            var lost = new LostPackets("flotta_test_" + Guid.NewGuid().ToString("N")[..8]);
            var drop = string.Create(CultureInfo.InvariantCulture, $"numgen random mod {oneIn} 0 drop");
            using var folder = new TemporaryFolder();
            var file = Path.Combine(folder.Path, "rules");
            await File.WriteAllTextAsync(file, $"table inet {lost.Table} {{ chain input {{ type filter hook input priority 0; tcp dport {port} {drop}; tcp sport {port} {drop}; }}\n}}\n");
            var (code, _, said) = await RunningProgram.RunAsync("nft", ["-f", file]);
            code.ShouldBe(0, said);
            return lost;
        }

        private string Table { get; } = table;

        public async ValueTask DisposeAsync() => await RunningProgram.RunAsync("nft", ["delete", "table", "inet", Table]);
    }
}
