using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.Bench;

/// <summary>
/// The Edge API under a simulated fleet: each row is one run of flotta-fleet. Each part has a server of its own, so that what one leaves behind (devices that are told silent
/// minutes later, memory) is not measured in the next, and a part that fails costs its own rows only.
/// </summary>
internal sealed class EdgeBench(bool onKubernetes)
{
    private const string Edgeworkloads = "apis/management.project-flotta.io/v1alpha1/namespaces/default/edgeworkloads";
    private readonly int _loaders = Math.Min(400, Setting("FLOTTA_BENCH_FLEET", 2000));

    private readonly int _fleet = Setting("FLOTTA_BENCH_FLEET", 2000);
    private readonly int _largeFleet = Setting("FLOTTA_BENCH_LARGE_FLEET", 5000);
    private readonly string _only = Environment.GetEnvironmentVariable("FLOTTA_BENCH_ONLY") ?? "";
    private readonly string _seconds = $"{Setting("FLOTTA_BENCH_SECONDS", 8)}s";
    private readonly Results _results = new(
        onKubernetes ? "edge-on-kubernetes" : "edge",
        onKubernetes ? "The Edge API on a real kube-apiserver and etcd" : "The Edge API of `flotta up`",
        onKubernetes ? "bench/run.sh edge-kubernetes" : "make bench",
        "measure", "value", "goal", "server CPU (cores)", "simulator CPU (cores)");

    /// <summary>Whether everything was measured.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        if (onKubernetes && KubernetesTests.KubeApiServer.Missing is { } missing)
        {
            Console.WriteLine($"left out: {missing}");
            return true;
        }

        List<(string Name, Func<Plane, FleetProcess, CancellationToken, Task> Measure)> parts =
        [
            ("load on open connections", LoadsAsync), ("registrations and rollouts", FleetAsync), ("reconnect", ReconnectAsync),
            .. (onKubernetes ? [] : new[] { _fleet, _largeFleet }).Select(devices => ($"memory, {devices} devices", MemoryOf(devices))),
        ];
        var whole = true;
        foreach (var (name, measure) in parts.Where(part => part.Name.Contains(_only, StringComparison.Ordinal)))
            whole &= await PartAsync(name, measure, cancellationToken);
        await _results.WriteAsync(cancellationToken);
        return whole;
    }

    private async Task<bool> PartAsync(string name, Func<Plane, FleetProcess, CancellationToken, Task> measure, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("flotta-bench-").FullName;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(8));
        try
        {
            await using Plane plane = onKubernetes ? await KubernetesPlane.StartAsync(folder, patience.Token) : await EmbeddedPlane.StartAsync(folder);
            await measure(plane, Fleet(plane), patience.Token);
            return true;
        }
        catch (Exception failed) when (!cancellationToken.IsCancellationRequested)
        {
            _results.Row($"{name}: the rest of it", $"not measured: {(failed is OperationCanceledException ? "not done after 8 minutes" : failed.Message.ReplaceLineEndings(" "))}", "", "", "");
            return false;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private Func<Plane, FleetProcess, CancellationToken, Task> MemoryOf(int devices) => (plane, fleet, stop) => MemoryAsync(plane, fleet, devices, stop);

    private static FleetProcess Fleet(Plane plane) =>
        new(plane.EdgeServer, plane.Bootstrap, Path.Combine(plane.Folder, "identities"), plane.Edge.Id, Path.Combine(plane.Folder, "fleet.log"));

    private async Task LoadsAsync(Plane plane, FleetProcess fleet, CancellationToken cancellationToken)
    {
        // Only those that load: others would be told silent in the midst of it.
        await fleet.RunAsync(cancellationToken, "cold-start", "--devices", $"{_loaders}", "--ramp", "2s");
        await HeartbeatsAsync(plane, fleet, plane.Folder, cancellationToken);
        await ConfigurationsAsync(plane, fleet, cancellationToken);
    }

    private async Task FleetAsync(Plane plane, FleetProcess fleet, CancellationToken cancellationToken)
    {
        await RegistrationsAsync(plane, fleet, cancellationToken);
        await RolloutsAsync(plane, fleet, cancellationToken);
    }

    private async Task RegistrationsAsync(Plane plane, FleetProcess fleet, CancellationToken cancellationToken)
    {
        // The first devices warm up what is compiled and cached on first use.
        await fleet.RunAsync(cancellationToken, "cold-start", "--devices", "50", "--prefix", "warm", "--ramp", "500ms");
        // The first device of each connection opens it, and is not counted.
        await RegisteredAsync(
            $"registrations over 64 open connections ({_fleet} devices: enrol, approve, CSR, EdgeDevice durable)", onKubernetes ? "60/s" : "200/s",
            _fleet + 64, "load", "--request", "registration", "--at-once", "64", "--prefix", "load");
        await RegisteredAsync(
            $"devices that are switched on ({_fleet}: the same over two connections of each one's own, and its first configuration and heartbeat)", "",
            _fleet, "cold-start", "--ramp", "500ms");

        async Task RegisteredAsync(string name, string goal, int devices, params string[] run)
        {
            var before = plane.CpuSeconds;
            var report = await fleet.RunAsync(cancellationToken, [.. run, "--devices", $"{devices}"]);
            var each = (plane.CpuSeconds - before) / devices;
            var stage = report["coldStart"]!;
            Row(name, $"{Round(stage["perSecond"])}/s; {Round(each * 1e3, "N1")} ms CPU each", goal, report, each * (double)stage["perSecond"]!);
        }
    }

    private async Task HeartbeatsAsync(Plane plane, FleetProcess fleet, string folder, CancellationToken cancellationToken)
    {
        using var kube = plane.Kube();
        var certificate = await kube.GetAsync("api/v1/namespaces/flotta/secrets/flotta-host-certificate", cancellationToken);
        var (cert, key) = (Path.Combine(folder, "bare.pem"), Path.Combine(folder, "bare.key"));
        await File.WriteAllBytesAsync(cert, Convert.FromBase64String((string)certificate["data"]!["server.crt"]!), cancellationToken);
        await File.WriteAllBytesAsync(key, Convert.FromBase64String((string)certificate["data"]!["server.key"]!), cancellationToken);
        await using var bare = await ServerProcess.StartAsync("flotta-bench-bare", [cert, key], Path.Combine(folder, "bare.log"));
        var bareFleet = new FleetProcess($"127.0.0.1:{bare.Port("edge")}", plane.Bootstrap, Path.Combine(folder, "identities"), bare.Id, Path.Combine(folder, "bare-fleet.log"));

        // Every connection once, so that what is written when a device is first heard of is written.
        await fleet.RunAsync(cancellationToken, "load", "--request", "heartbeat", "--devices", $"{_loaders}", "--for", "2s");
        await QuietAsync(kube, cancellationToken);
        foreach (var http in (string[][])[["--http1"], []])
        {
            string[] load = ["load", "--request", "heartbeat", "--devices", $"{_loaders}", "--for", _seconds, .. http];
            // Turn and turn about, so that both see the same machine.
            var (ours, theirs, rates) = (new List<double>(), new List<double>(), new List<double>());
            JsonNode report = null!;
            var before = await VersionsAsync(kube, cancellationToken);
            for (var round = 0; round < 3; round++)
            {
                theirs.Add(MicrosecondsEach(await bareFleet.RunAsync(cancellationToken, load), "heartbeat"));
                report = await fleet.RunAsync(cancellationToken, load);
                ours.Add(MicrosecondsEach(report, "heartbeat"));
                rates.Add((double)report["requests"]!["heartbeat"]!["perSecond"]!);
            }

            var version = http.Length > 0 ? "HTTP/1.1" : "HTTP/2";
            var ratios = ours.Zip(theirs, (one, other) => one / other).ToList();
            Row(
                $"unchanged heartbeats, {version}, {_loaders} connections",
                $"{Round(Median(rates))}/s; {Round(Median(ours), "N1")} µs CPU each, bare Kestrel {Round(Median(theirs), "N1")} µs: {Round(Median(ratios), "N2")} times; "
                + $"{(await VersionsAsync(kube, cancellationToken)).Except(before).Count()} EdgeDevices written",
                "10,000/s; 1.3 times; 0 writes",
                report);
        }

        var changing = await fleet.RunAsync(cancellationToken, "load", "--request", "changing-heartbeat", "--devices", $"{_loaders}", "--for", _seconds);
        Row(
            "heartbeats that change status, as fast as they are answered",
            $"{Round(PerSecond(changing, "heartbeat"))}/s durable; {Round(MicrosecondsEach(changing, "heartbeat"))} µs CPU each in the process that devices talk to",
            onKubernetes ? "" : "1,500/s",
            changing);
        var paced = await fleet.RunAsync(cancellationToken, "load", "--request", "changing-heartbeat", "--devices", $"{_loaders}", "--for", _seconds, "--rate", "500");
        Row(
            "heartbeats that change status, 500/s offered",
            $"{Round(PerSecond(paced, "heartbeat"))}/s; p50 {Latency(paced, "heartbeat", "p50")} ms, p99 {Latency(paced, "heartbeat", "p99")} ms",
            "p99 under 100 ms",
            paced);
    }

    private async Task ConfigurationsAsync(Plane plane, FleetProcess fleet, CancellationToken cancellationToken)
    {
        using var kube = plane.Kube();
        for (var i = 1; i <= 5; i++)
            await kube.ApplyAsync("api/v1/namespaces/default/secrets", $"bench-{i}", Secret(i), cancellationToken);
        for (var i = 1; i <= 10; i++)
            await kube.ApplyAsync(Edgeworkloads, $"bench-{i}", Workload(i), cancellationToken);
        // Behind the placement come the labels and status entries of every device, which change what is fetched; they are not what is measured here.
        await QuietAsync(kube, cancellationToken);
        var fetch = await fleet.RunAsync(cancellationToken, "load", "--request", "configuration", "--devices", $"{_loaders}", "--for", _seconds, "--http1");
        var bytes = (double)fetch["traffic"]!["bytesReceived"]! / (double)fetch["requests"]!["configuration"]!["count"]!;
        Row(
            $"configuration with 10 workloads and 5 secrets ({Round(bytes / 1024, "N1")} KiB each)",
            $"{Round(PerSecond(fetch, "configuration"))}/s; {Round(MicrosecondsEach(fetch, "configuration"), "N1")} µs CPU each",
            "6,000/s",
            fetch);
        var unchanged = await fleet.RunAsync(cancellationToken, "load", "--request", "unchanged-configuration", "--devices", $"{_loaders}", "--for", _seconds, "--http1");
        Row(
            "the same, not modified (304)",
            $"{Round(PerSecond(unchanged, "configuration"))}/s; {Round(MicrosecondsEach(unchanged, "configuration"), "N1")} µs CPU each",
            "9,000/s",
            unchanged);
        for (var i = 1; i <= 10; i++)
            await kube.DeleteAsync($"{Edgeworkloads}/bench-{i}", cancellationToken);
        await QuietAsync(kube, cancellationToken);
    }

    private async Task RolloutsAsync(Plane plane, FleetProcess fleet, CancellationToken cancellationToken)
    {
        var rollout = await fleet.RunAsync(cancellationToken, "rollout", "--devices", $"{_fleet}", "--kubeconfig", plane.KubeconfigFile, "--rounds", "3", "--every", "8s", "--ramp", "5s");
        var seconds = rollout["rollouts"]!.AsArray().Select(one => (double)one!["seconds"]!).ToList();
        Row(
            $"one EdgeWorkload for {_fleet} connected devices: apply to the last device holding it (3 rounds, median)",
            $"{Round(Median(seconds), "N2")} s (rounds {string.Join(", ", seconds.Select(one => Round(one, "N2")))})",
            "under 2 s",
            rollout);
        var single = await fleet.RunAsync(cancellationToken, "rollout", "--devices", "1", "--prefix", "single", "--kubeconfig", plane.KubeconfigFile, "--rounds", "20", "--every", "300ms");
        var each = single["rollouts"]!.AsArray().Select(one => (double)one!["seconds"]! * 1000).Order().ToList();
        Row("one EdgeWorkload for one connected device (20 rounds)", $"p50 {Round(Median(each), "N1")} ms, most {Round(each[^1], "N1")} ms", "p99 under 300 ms", single);
    }

    private async Task ReconnectAsync(Plane plane, FleetProcess fleet, CancellationToken cancellationToken)
    {
        await fleet.RunAsync(cancellationToken, "cold-start", "--devices", $"{_fleet}", "--ramp", "2s");
        var served = new TaskCompletionSource();
        var running = fleet.RunAsync(
            line =>
            {
                if (line.StartsWith("all ", StringComparison.Ordinal))
                    served.TrySetResult();
            },
            cancellationToken, "steady", "--devices", $"{_fleet}", "--ramp", "5s", "--for", "40s");
        await Task.WhenAny(served.Task, running);
        await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken);
        await plane.RestartEdgeAsync();
        var back = TimeProvider.System.GetUtcNow();
        var report = await running;
        // The process that was there at first is not the one that served them.
        var cores = plane.Edge.CpuSeconds / (TimeProvider.System.GetUtcNow() - back).TotalSeconds;
        var outage = report["outages"]?[0];
        var ended = outage?["ended"] is { } end ? DateTimeOffset.Parse((string)end!, CultureInfo.InvariantCulture) : (DateTimeOffset?)null;
        var errors = report["requests"]!.AsObject().SelectMany(kind => kind.Value!["statuses"]!.AsObject()).Where(status => int.Parse(status.Key, CultureInfo.InvariantCulture) >= 400)
            .GroupBy(status => status.Key, status => (long)status.Value!).Select(status => $"{status.Sum()} times {status.Key}").ToList();
        Row(
            $"reconnect of {_fleet} devices after a restart",
            $"{(ended is { } at ? Round((at - back).TotalSeconds, "N1") + " s after ready" : "not all came back")}, {Round(Double(outage?["seconds"]), "N1")} s in all (stop and start included); "
            + (errors.Count == 0 ? "no error status" : string.Join(", ", errors)),
            "15 s; nothing but 503",
            report,
            cores);
    }

    private async Task MemoryAsync(Plane plane, FleetProcess fleet, int devices, CancellationToken cancellationToken)
    {
        await fleet.RunAsync(cancellationToken, "cold-start", "--devices", $"{devices}", "--ramp", $"{Math.Max(1, devices / 200)}s");
        // Started anew with its devices known and nobody connected: what connections add is what comes on top.
        await plane.RestartEdgeAsync();
        await Task.Delay(TimeSpan.FromSeconds(5), cancellationToken);
        var without = plane.Edge.MemoryMiB;
        var report = await Fleet(plane).RunAsync(cancellationToken, "steady", "--devices", $"{devices}", "--ramp", $"{Math.Max(5, devices / 200)}s", "--for", "75s");
        // Idle for more than a minute, after which the server gives back what connecting took.
        var with = (double)report["server"]!["memoryMiB"]!;
        Row(
            $"memory per connected idle device, {devices} devices",
            $"{Round((with - without) * 1024 / devices, "N1")} KiB ({Round(without)} MiB without, {Round(with)} MiB with them; resident)",
            "under 80 KB",
            report);
    }

    /// <summary>Until the API server has had nothing to write for three seconds.</summary>
    private static async Task QuietAsync(KubeClient kube, CancellationToken cancellationToken)
    {
        HashSet<string> last = [];
        for (var quiet = 0; quiet < 3;)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            var now = await VersionsAsync(kube, cancellationToken);
            quiet = now.SetEquals(last) ? quiet + 1 : 0;
            last = now;
        }
    }

    /// <summary>Every write gives an object a version that no other ever has.</summary>
    private static async Task<HashSet<string>> VersionsAsync(KubeClient kube, CancellationToken cancellationToken)
    {
        var list = await kube.GetAsync("apis/management.project-flotta.io/v1alpha1/namespaces/default/edgedevices", cancellationToken);
        return [.. list["items"]!.AsArray().Select(item => (string)item!["metadata"]!["resourceVersion"]!)];
    }

    private static string Secret(int number) =>
        $$"""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"bench-{{number}}"},"data":{"password":"{{Convert.ToBase64String(Encoding.UTF8.GetBytes(new string('x', 200)))}}"} }""";

    private static string Workload(int number) =>
        $$"""
        {"apiVersion":"management.project-flotta.io/v1alpha1","kind":"EdgeWorkload","metadata":{"name":"bench-{{number}}"},
         "spec":{"type":"pod","deviceSelector":{"matchLabels":{"device.system-manufacturer":"flotta-fleet"} },
         "pod":{"spec":{"containers":[{"name":"app","image":"registry.example.com/app:{{number}}","env":[{"name":"LEVEL","value":"info"}],
         "envFrom":[{"secretRef":{"name":"bench-{{((number - 1) % 5) + 1}}"} }],"ports":[{"containerPort":80,"hostPort":{{8000 + number}} }]}]} } } }
        """;

    private void Row(string measure, string value, string goal, JsonNode report, double? serverCores = null) => _results.Row(
        measure, value, goal, Round(serverCores ?? Double(report["server"]?["cpuCores"]), "N2"), Round((double)report["simulator"]!["cpuCores"]!, "N2"));

    private static double Double(JsonNode? value) => value is null ? 0 : (double)value;

    private static double PerSecond(JsonNode report, string kind) => (double)report["requests"]![kind]!["perSecond"]!;

    private static double MicrosecondsEach(JsonNode report, string kind) => (double)report["server"]!["cpuSeconds"]! * 1e6 / (double)report["requests"]![kind]!["count"]!;

    private static string Latency(JsonNode report, string kind, string quantile) => Round((double)report["requests"]![kind]!["latencyMs"]![quantile]!, "N1");

    private static string Round(JsonNode? value) => Round((double)value!);

    private static string Round(double value, string format = "N0") => Results.Number(value, format);

    internal static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? 0 : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    internal static int Setting(string name, int standard) => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : standard;
}
