using System.Diagnostics;

namespace Flotta.Bench;

/// <summary>
/// What a device costs that has nothing to do: the contract of the agent, which fails when a limit is passed. Four agents side by side: with nothing, with ten workloads,
/// thrifty, and thrifty with a server that has a name. The third is watched until the end of a held request, since in ten minutes there may be none; the month has four new connections a day on top, none of which resumes a session.
/// </summary>
internal sealed class AgentBench(string podman) : AgentContract(new Results(
    "agent", "What an idle device costs", $"make bench (bench/run.sh agent), {Window.TotalMinutes:0.#} minutes", "measure", "value", "limit", ""))
{
    private const double Month = 30 * 24 * 3600;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(150);
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(double.TryParse(Environment.GetEnvironmentVariable("FLOTTA_BENCH_AGENT_MINUTES"), out var minutes) ? minutes : 10);

    /// <summary>Whether every limit was kept.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var root = Directory.CreateTempSubdirectory("flotta-bench-agent-").FullName;
        try
        {
            await using var plane = await EmbeddedPlane.StartAsync(Directory.CreateDirectory(Path.Combine(root, "plane")).FullName);
            var program = Repository.Program("flotta-agent");
            Row("program and libraries of its own", new FileInfo(program).Length / 1e6, 15, "MB");
            await StartsAsync(plane, root, cancellationToken);
            await IdlesAsync(plane, root, cancellationToken);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        return await EndAsync(cancellationToken);
    }

    private async Task StartsAsync(Plane plane, string root, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(root, "starter");
        await using (var first = AgentProcess.Start(plane, "starter", folder, podman))
            await UntilAsync(() => File.Exists(Path.Combine(folder, "desired.json")), cancellationToken);
        var starts = new List<double>();
        for (var round = 0; round < 15; round++)
        {
            await using var agent = AgentProcess.Start(plane, "starter", folder, podman);
            // Its hello, its certificate and proof, the preface of HTTP/2, and what comes then is a request.
            Traffic[] Sent() => [.. agent.Proxy.Pieces.Where(piece => piece.Up)];
            await UntilAsync(() => Sent().Length >= 4, cancellationToken);
            starts.Add(Stopwatch.GetElapsedTime(agent.Started, Sent()[3].At).TotalMilliseconds);
        }

        // The fastest: what else runs on the machine can only make it slower.
        Row("start to the first request, fastest of 15", starts.Min(), 200, "ms");
    }

    private async Task IdlesAsync(Plane plane, string root, CancellationToken cancellationToken)
    {
        using var kube = plane.Kube();
        await using var idle = AgentProcess.Start(plane, "idle", Path.Combine(root, "idle"), podman);
        await using var busy = AgentProcess.Start(plane, "busy", Path.Combine(root, "busy"), podman);
        await UntilAsync(() => File.Exists(Path.Combine(root, "busy", "desired.json")), cancellationToken);
        for (var workload = 0; workload < 10; workload++)
            await kube.ApplyAsync("apis/management.project-flotta.io/v1alpha1/namespaces/default/edgeworkloads", $"w{workload}", Workload($"w{workload}"), cancellationToken);
        await UntilAsync(async () => (await kube.GetAsync("apis/management.project-flotta.io/v1alpha1/namespaces/default/edgedevices/busy", cancellationToken))["status"]?["workloads"] is System.Text.Json.Nodes.JsonArray { Count: 10 } states
            && states.All(state => (string?)state!["phase"] == "Running"), cancellationToken);

        // Last: the interfaces of those workloads' pods are part of the machine that it tells about at its start, and no news in the window.
        await using (var newcomer = AgentProcess.Start(plane, "thrifty", Path.Combine(root, "thrifty"), podman, thrifty: true))
            await UntilAsync(() => File.Exists(Path.Combine(root, "thrifty", "desired.json")), cancellationToken);
        await using var thrifty = AgentProcess.Start(plane, "thrifty", Path.Combine(root, "thrifty"), podman, thrifty: true);
        await using var named = AgentProcess.Start(plane, "named", Path.Combine(root, "named"), podman, thrifty: true, named: true);

        await Task.Delay(Settling, cancellationToken);
        Row("thrifty: a start, with all that is said at one", thrifty.Proxy.Bytes / 1e3, double.PositiveInfinity, "kB");
        var began = Stopwatch.GetTimestamp();
        var (bytes, cpu, written, wakes, rare) = (idle.Proxy.Bytes, idle.CpuSeconds, idle.BytesWritten, idle.Wakes, thrifty.Wakes);
        await Task.Delay(Window, cancellationToken);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Row("memory (RSS) with nothing to do", idle.MemoryMiB * 1.048576, 25, "MB");
        Row("memory (RSS) with ten workloads", busy.MemoryMiB * 1.048576, 30, "MB");
        Row("CPU", (idle.CpuSeconds - cpu) / seconds * 100, 0.1, "% of a core", "N3");
        Row("disk writes a day", (idle.BytesWritten - written) / seconds * 86400 / 1e6, 1, "MB", "N3");
        Row("on the wire a month", (idle.Proxy.Bytes - bytes) / seconds * Month / 1e6, 10, "MB", "N2");
        Row("times awake an hour", (idle.Wakes - wakes) / seconds * 3600, double.PositiveInfinity, "");
        Row("thrifty: memory (RSS)", thrifty.MemoryMiB * 1.048576, 25, "MB");
        await ThriftyAsync(thrifty, named, (began, rare), cancellationToken);
        if (idle.HasEnded || busy.HasEnded || thrifty.HasEnded || named.HasEnded)
            throw new InvalidOperationException($"an agent ended; the logs are in {root}");
    }

    private async Task ThriftyAsync(AgentProcess thrifty, AgentProcess named, (long At, int Wakes) began, CancellationToken cancellationToken)
    {
        // The held request that has been waiting since before the window ends with an answer after 27 to 30 minutes, and is followed by the next.
        Traffic[] After() => [.. thrifty.Proxy.Pieces.Where(piece => piece.At > began.At)];
        var held = thrifty.Proxy.Pieces.Last(piece => piece.At < began.At).At;
        double Since(Traffic piece) => Stopwatch.GetElapsedTime(held, piece.At).TotalSeconds;
        await UntilAsync(() => After().Any(piece => piece.Up && Since(piece) > 26 * 60), cancellationToken, TimeSpan.FromMinutes(32));
        var between = Since(After().First(piece => piece.Up && Since(piece) > 26 * 60));
        await Task.Delay(TimeSpan.FromSeconds(15), cancellationToken);
        Row("thrifty: times awake an hour", (thrifty.Wakes - began.Wakes) / Stopwatch.GetElapsedTime(began.At).TotalHours, 60, "");
        var bytes = After().Sum(piece => (double)piece.Bytes);
        Row($"thrifty: a held request, here for {between / 60:N1} minutes", bytes / 1e3, double.PositiveInfinity, "kB", "N2");
        // What else follows upon a new connection may wait for the next whole five minutes.
        var anew = await Task.WhenAll(new[] { thrifty, named }.Select(async agent =>
        {
            var before = agent.Proxy.Bytes;
            agent.Proxy.Cut();
            await UntilAsync(() => agent.Proxy.Bytes > before, cancellationToken, TimeSpan.FromMinutes(6));
            await Task.Delay(TimeSpan.FromMinutes(6), cancellationToken);
            return agent.Proxy.Bytes - before;
        }));
        var connecting = (double)anew[0];
        Row("thrifty: a new connection", connecting / 1e3, double.PositiveInfinity, "kB");
        Row("thrifty: the same where the session is resumed (server has a name, within two hours)", anew[1] / 1e3, double.PositiveInfinity, "kB");
        Row("thrifty: on the wire a month, with 4 new connections a day", ((bytes / between * Month) + (connecting * 4 * 30)) / 1e6, 1, "MB", "N2");
    }

    private static string Workload(string name) =>
        $"""
        apiVersion: management.project-flotta.io/v1alpha1
        kind: EdgeWorkload
        metadata:
          name: {name}
          namespace: default
        spec:
          type: pod
          device: busy
          pod:
            spec:
              containers:
              - name: app
                image: localhost/flotta-hello:1
                command: ["/bin/busybox", "sleep", "100000"]
        """;
}
