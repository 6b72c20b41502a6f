using System.Globalization;
using System.Text.RegularExpressions;
using Flotta.EndToEnd;
using Flotta.Tests.Operator.Scenarios;

namespace Flotta.KubernetesTests.Faults;

/// <summary>Two Operators and three replicas of the Edge API as processes, each behind a proxy of its own, and a namespace for the devices of one test.</summary>
internal sealed partial class ReplicatedPlane : ControlPlane
{
    private readonly FaultCluster cluster;
    private readonly Balancer balancer = new();
    private int replicas;

    private ReplicatedPlane(FaultCluster cluster, string folder)
        : base(folder)
    {
        this.cluster = cluster;
    }

    public override string EdgeServer => balancer.Address;

    public string Namespace { get; } = TestCluster.Unique("faults");

    public List<Replica> Operators { get; } = [];

    public List<Replica> Edges { get; } = [];

    public IEnumerable<Replica> All => Operators.Concat(Edges);

    public static async Task<ReplicatedPlane> StartAsync(FaultCluster cluster, string folder, int operators = 2, int edges = 3)
    {
        var plane = new ReplicatedPlane(cluster, folder);
        try
        {
            await File.WriteAllTextAsync(plane.Kubeconfig, cluster.Kubeconfig);
            await plane.KubectlAsync("create", "namespace", plane.Namespace);
            for (var number = 1; number <= operators; number++) plane.Operators.Add(await plane.StartOperatorAsync($"operator-{number}"));
            for (var number = 1; number <= edges; number++) plane.Edges.Add(await plane.StartEdgeAsync());
            plane.Balance();
            await BootstrapFiles.FetchAsync(plane);
            return plane;
        }
        catch
        {
            await plane.DisposeAsync();
            throw;
        }
    }

    /// <summary>One more replica of the Edge API; nobody is sent to it yet.</summary>
    public Task<Replica> StartEdgeAsync() => StartAsync(
        $"edge-{++replicas}", "flotta-edge-api", ["edge-api", "--edge-port", "0"], new() { ["DRAIN_SECONDS"] = "2" });

    /// <summary>Sends new devices to all replicas that are there now.</summary>
    public void Balance() => balancer.Send(Edges.Select(edge => edge.EdgePort));

    /// <summary>Starts devices of this test's namespace.</summary>
    public SimulatedFleet Fleet(string scenario, int devices, params string[] flags) => SimulatedFleet.Start(
        this, Folder, scenario, ["--devices", devices.ToString(CultureInfo.InvariantCulture), "--namespace", Namespace, "--prefix", Namespace, "--patience", "20m", .. flags]);

    public Task WorkloadAsync(string name) => ApplyAsync($$$"""
        apiVersion: management.project-flotta.io/v1alpha1
        kind: EdgeWorkload
        metadata: {name: {{{name}}}, namespace: {{{Namespace}}} }
        spec:
          type: pod
          deviceSelector: {matchLabels: {device.system-manufacturer: flotta-fleet}}
          pod: {spec: {containers: [{name: app, image: "registry.example.com/app:1"}]}}
        """);

    public Task RunsEverywhereAsync(string workload, int devices, TimeSpan deadline)
    {
        var last = "";
        return Eventually.TrueAsync(
            async () => (last = await OwnFieldAsync("edgeworkload", workload, ".status.running")) == devices.ToString(CultureInfo.InvariantCulture),
            deadline,
            () => $"{workload} runs on {last} of {devices} devices\n" + string.Join('\n', All.Select(one => $"{one.Name}:\n{one.Program.Said}")));
    }

    /// <summary>How often the devices' events were counted in all.</summary>
    public async Task<long> EventsAsync(string reason) =>
        (await KubectlAsync("-n", Namespace, "get", "events", "--field-selector", $"reason={reason}", "-o", "jsonpath={.items[*].count}"))
        .Split(' ', StringSplitOptions.RemoveEmptyEntries).Sum(count => long.Parse(count, CultureInfo.InvariantCulture));

    /// <summary>Nobody ended, and nobody said more than a person can read or what only a programmer understands.</summary>
    /// <param name="devices">Each may be spoken of when it is let in and when it registers.</param>
    public void AreWell(int devices)
    {
        foreach (var one in All)
        {
            one.Program.HasEnded.ShouldBeFalse($"{one.Name} ended and had said:\n{one.Program.Said}");
            var lines = one.Program.Said.Split('\n');
            lines.Where(line => line.TrimStart().StartsWith("at ", StringComparison.Ordinal) || line.Contains("nhandled", StringComparison.Ordinal)).ShouldBeEmpty(one.Program.Said);
            lines.Length.ShouldBeLessThan(300 + (2 * devices), one.Program.Said);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var one in All) await one.DisposeAsync();
        await balancer.DisposeAsync();
    }

    private Task<Replica> StartOperatorAsync(string name) => StartAsync(
        name, "flotta-controller-manager", ["operator"], new() { ["LEADER_ELECT"] = "true", ["AUTO_APPROVAL_PROCESS"] = "true", ["AUTO_APPROVAL_NAMESPACES"] = Namespace });

    private async Task<Replica> StartAsync(string name, string account, string[] arguments, Dictionary<string, string> environment)
    {
        var proxy = await ApiProxy.StartAsync(
            cluster.Server, "system:serviceaccount:flotta:" + account, "system:serviceaccounts", "system:serviceaccounts:flotta", "system:authenticated");
        var kubeconfig = Path.Combine(Folder, name + ".kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, proxy.Kubeconfig);
        environment["POD_NAME"] = $"{Namespace}-{name}";
        environment["POD_NAMESPACE"] = "flotta";
        var program = RunningProgram.Start(Programs.Flotta, [.. arguments, "--kubeconfig", kubeconfig, "--metrics-port", "0"], environment);
        var replica = new Replica(name, program, proxy);
        replica.Ready = await program.LineAsync(line => line.StartsWith("ready ", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        return replica;
    }

    private async Task<string> OwnFieldAsync(string kind, string name, string path)
    {
        var (exitCode, output, _) = await TryKubectlAsync("-n", Namespace, "get", kind, name, "-o", $"jsonpath={{{path}}}");
        return exitCode == 0 ? output : "";
    }

    [GeneratedRegex(@"edge=https://[^ ]*:(?<port>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex EdgePortIn();

    /// <summary>One program and what stands between it and the API server.</summary>
    internal sealed record Replica(string Name, RunningProgram Program, ApiProxy Api) : IAsyncDisposable
    {
        public string Ready { get; set; } = "";

        public int EdgePort => int.Parse(EdgePortIn().Match(Ready).Groups["port"].Value, CultureInfo.InvariantCulture);

        public async ValueTask DisposeAsync()
        {
            await Program.DisposeAsync();
            await Api.DisposeAsync();
        }
    }
}
