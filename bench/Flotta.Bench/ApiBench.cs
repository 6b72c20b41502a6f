using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Flotta.KubernetesTests;

namespace Flotta.Bench;

/// <summary>
/// The embedded API server beside kube-apiserver and etcd: the same requests from the same client, turn and turn about, medians of the rounds. Both are durable before they
/// answer: etcd syncs its log, SQLite runs with synchronous=FULL.
/// </summary>
internal static class ApiBench
{
    private const string Definitions = "apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Collection = "apis/bench.example.com/v1/namespaces/default/things";
    private const string Definition =
        """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.bench.example.com"},
         "spec":{"group":"bench.example.com","scope":"Namespaced","names":{"plural":"things","singular":"thing","kind":"Thing","listKind":"ThingList"},
         "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object","properties":{
           "spec":{"type":"object","properties":{"text":{"type":"string"},"number":{"type":"integer"},"list":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"value":{"type":"string"}} }} }},
           "status":{"type":"object","properties":{"phase":{"type":"string"},"turn":{"type":"integer"}} }} }} }] }}
        """;

    private const int Objects = 10_000;
    private const int Watchers = 100;
    private static readonly int Rounds = EdgeBench.Setting("FLOTTA_BENCH_ROUNDS", 3);
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(EdgeBench.Setting("FLOTTA_BENCH_API_SECONDS", 3));

    /// <summary>One of the two, and all that was measured of it.</summary>
    private sealed class Side(string name, KubeClient client, Func<double> memory, Func<double> cpu)
    {
        private int _next;

        public string Name => name;

        public KubeClient Client => client;

        public Func<double> Memory => memory;

        public Func<double> Cpu => cpu;

        public ConcurrentDictionary<string, List<double>> Measured { get; } = new(StringComparer.Ordinal);

        public int Count => Volatile.Read(ref _next);

        public int Next() => Interlocked.Increment(ref _next) - 1;

        public double Median(string measure) => EdgeBench.Median(Measured[measure]);

        public void Add(string measure, double value) => Measured.GetOrAdd(measure, _ => []).Add(value);
    }

    public static async Task RunAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("flotta-bench-").FullName;
        var results = new Results("api-server", "The embedded API server beside kube-apiserver and etcd", "make bench", "measure", "embedded", "kube-apiserver + etcd", "ratio", "goal");
        try
        {
            var (first, later) = await StartUpAsync(folder, cancellationToken);
            await using var embedded = await ServerProcess.StartAsync("flotta", ["api-server", "--data-dir", folder, "--kube-port", "0"], Path.Combine(folder, "log"));
            using var ours = new KubeClient(await File.ReadAllTextAsync(Path.Combine(folder, "kubeconfig"), cancellationToken));
            var sides = new List<Side> { new("embedded", ours, () => embedded.MemoryMiB, () => embedded.CpuSeconds) };
            var clock = Stopwatch.StartNew();
            await using var kubernetes = KubeApiServer.Missing is null ? await KubeApiServer.StartAsync(cancellationToken) : null;
            var kubernetesStart = clock.Elapsed;
            using var theirs = kubernetes is null ? null : new KubeClient(kubernetes.Kubeconfig("bench", "system:masters"));
            if (theirs is not null)
            {
                var processes = KubernetesPlane.Children("kube-apiserver", "etcd");
                sides.Add(new Side("kubernetes", theirs, () => processes.Sum(ServerProcess.Memory), () => processes.Sum(ServerProcess.Cpu)));
            }
            else
            {
                results.Note($"kube-apiserver and etcd were left out: {KubeApiServer.Missing}");
            }

            results.Row("start to ready (existing data)", $"{later.TotalMilliseconds:0} ms (first time {first.TotalMilliseconds:0} ms)", theirs is null ? "" : $"{kubernetesStart.TotalMilliseconds:0} ms (empty)", "", "under 500 ms");
            foreach (var side in sides)
                await DefineAsync(side, cancellationToken);
            await MeasureAsync(sides, cancellationToken);
            Report(results, sides);
            await results.WriteAsync(cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<(TimeSpan First, TimeSpan Later)> StartUpAsync(string folder, CancellationToken cancellationToken)
    {
        var starts = new List<double>();
        for (var round = 0; round < 5; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await using var server = await ServerProcess.StartAsync("flotta", ["api-server", "--data-dir", folder, "--kube-port", "0"], Path.Combine(folder, "log"));
            starts.Add(server.StartedIn.TotalMilliseconds);
        }

        return (TimeSpan.FromMilliseconds(starts[0]), TimeSpan.FromMilliseconds(EdgeBench.Median(starts.Skip(1))));
    }

    private static async Task DefineAsync(Side side, CancellationToken cancellationToken)
    {
        await side.Client.PostAsync(Definitions, Encoding.UTF8.GetBytes(Definition), cancellationToken);
        while (true)
        {
            try
            {
                await side.Client.GetBytesAsync(Collection, cancellationToken);
                return;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(100, cancellationToken);
            }
        }
    }

    private static async Task MeasureAsync(List<Side> sides, CancellationToken cancellationToken)
    {
        // First, so that memory is told after the same work on both: later the faster one has done more.
        foreach (var side in sides)
            await FillAsync(side, cancellationToken);
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var side in sides)
            {
                var clock = Stopwatch.StartNew();
                var bytes = await side.Client.GetBytesAsync($"{Collection}?limit={Objects}", cancellationToken);
                side.Add("list", clock.Elapsed.TotalMilliseconds);
                side.Add("list bytes", bytes.Length);
            }
        }

        foreach (var side in sides)
            side.Add("memory", side.Memory());
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var side in sides)
                await FanOutAsync(side, cancellationToken);
        }

        for (var round = 0; round < Rounds; round++)
        {
            foreach (var clients in (int[])[1, 16, 64])
            {
                foreach (var side in sides)
                    await RateAsync(side, $"creates, {clients} client{(clients == 1 ? "" : "s")}", clients, CreateAsync, cancellationToken);
                foreach (var side in sides)
                    await RateAsync(side, $"status patches, {clients} client{(clients == 1 ? "" : "s")}", clients, PatchAsync, cancellationToken);
            }

            foreach (var side in sides)
                await RateAsync(side, "gets, 16 clients", 16, GetAsync, cancellationToken);
        }

        foreach (var side in sides)
            side.Add("memory at the end", side.Memory());
    }

    /// <summary>As many as that number of clients get done in the time, and what 99 of 100 took at most.</summary>
    private static async Task RateAsync(Side side, string measure, int clients, Func<Side, int, CancellationToken, Task> request, CancellationToken cancellationToken)
    {
        var took = new ConcurrentBag<double>();
        var clock = Stopwatch.StartNew();
        var cpu = side.Cpu();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(
            async () =>
            {
                while (clock.Elapsed < Span)
                {
                    var began = Stopwatch.GetTimestamp();
                    await request(side, client, cancellationToken);
                    took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }
            },
            cancellationToken)));
        var sorted = took.Order().ToArray();
        side.Add(measure, sorted.Length / clock.Elapsed.TotalSeconds);
        side.Add(measure + " p99", sorted[(int)(sorted.Length * 0.99)]);
        side.Add(measure + " cpu", (side.Cpu() - cpu) * 1e6 / sorted.Length);
    }

    private static Task CreateAsync(Side side, int client, CancellationToken cancellationToken) => side.Client.PostAsync(Collection, Thing(side.Next()), cancellationToken);

    // Each client has objects of its own, so that nobody waits for somebody else's conflict.
    private static Task PatchAsync(Side side, int client, CancellationToken cancellationToken)
    {
        var turn = Random.Shared.Next(1_000_000);
        var number = client + (64 * Random.Shared.Next(Math.Max(1, side.Count / 64 / 2)));
        return side.Client.MergePatchAsync($"{Collection}/thing-{number}/status", Encoding.UTF8.GetBytes($$$"""{"status":{"phase":"Running","turn":{{{turn}}}}}"""), cancellationToken);
    }

    private static Task GetAsync(Side side, int client, CancellationToken cancellationToken) =>
        side.Client.GetBytesAsync($"{Collection}/thing-{Random.Shared.Next(side.Count / 2)}", cancellationToken);

    /// <summary>Ten thousand; both are warm afterwards.</summary>
    private static async Task FillAsync(Side side, CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(Enumerable.Range(0, Objects), options, async (_, stop) => await CreateAsync(side, 0, stop));
    }

    /// <summary>
    /// Thirty times ten objects are changed at once, the next ten when every one of a hundred watchers has seen the last: so many changes at a time that no server has a reason
    /// to cut a watcher off.
    /// </summary>
    private static async Task FanOutAsync(Side side, CancellationToken cancellationToken)
    {
        const int Batches = 30;
        const int Batch = 10;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var document = JsonDocument.Parse(await side.Client.GetBytesAsync($"{Collection}?limit=1", cancellationToken));
        var version = document.RootElement.GetProperty("metadata").GetProperty("resourceVersion").GetString();
        var watches = await Task.WhenAll(Enumerable.Range(0, Watchers).Select(_ => side.Client.WatchAsync($"{Collection}?watch=true&resourceVersion={version}", end.Token)));
        var seen = new Seen();
        var cpu = side.Cpu();
        var clock = Stopwatch.StartNew();
        var reading = Task.WhenAll(watches.Select(watch => Task.Run(() => ReadAsync(side, watch, seen, end.Token), cancellationToken)));
        for (var batch = 1; batch <= Batches; batch++)
        {
            var all = seen.ReachesAsync(batch * Batch * Watchers);
            await Task.WhenAll(Enumerable.Range(0, Batch).Select(number => side.Client.MergePatchAsync(
                $"{Collection}/thing-{number}/status", Encoding.UTF8.GetBytes($$$"""{"status":{"turn":{{{batch}}}}}"""), cancellationToken)));
            await await Task.WhenAny(all.WaitAsync(TimeSpan.FromMinutes(1), cancellationToken), reading);
        }

        side.Add("fan-out", Batches * Batch * Watchers / clock.Elapsed.TotalSeconds);
        side.Add("fan-out cpu", (side.Cpu() - cpu) * 1e6 / (Batches * Batch * Watchers));
        await end.CancelAsync();
        try
        {
            await reading;
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException)
        {
            // As asked.
        }

        foreach (var watch in watches)
            await watch.DisposeAsync();
    }

    private sealed class Seen
    {
        private long _events;
        private long _goal;
        private TaskCompletionSource _reached = new();

        public Task ReachesAsync(long goal)
        {
            _reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref _goal, goal);
            Add(0);
            return _reached.Task;
        }

        public void Add(int events)
        {
            if (Interlocked.Add(ref _events, events) >= Volatile.Read(ref _goal))
                _reached.TrySetResult();
        }
    }

    // An event is a line.
    private static async Task ReadAsync(Side side, Stream watch, Seen seen, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await watch.ReadAsync(buffer, cancellationToken)) > 0)
            seen.Add(buffer.AsSpan(0, read).Count((byte)'\n'));
        throw new InvalidOperationException($"a watch on {side.Name} ended early");
    }

    private static byte[] Thing(int number)
    {
        var list = string.Join(",", Enumerable.Range(0, 10).Select(entry => $$"""{"name":"entry-{{entry}}","value":"{{new string((char)('a' + entry), 280)}}"}"""));
        return Encoding.UTF8.GetBytes(
            $$"""{"apiVersion":"bench.example.com/v1","kind":"Thing","metadata":{"name":"thing-{{number}}","labels":{"app":"bench"} },"spec":{"number":{{number}},"text":"{{new string('t', 600)}}","list":[{{list}}] } }""");
    }

    private static void Report(Results results, List<Side> sides)
    {
        foreach (var kind in (string[])["creates", "status patches"])
        {
            foreach (var clients in (string[])["1 client", "16 clients", "64 clients"])
                Rate($"{kind}, {clients}", "3 times");
        }

        Rate("gets, 16 clients", "");
        Time("gets, 16 clients p99", "get, p99 at 16 clients", "");
        Time("list", $"list of {Objects} objects of 4 KB", "half the time");
        Rate("fan-out", "at least equal", $"watch fan-out, events delivered a second to {Watchers} watchers");
        results.Row(
            $"memory with {Objects} objects (RSS)", $"{sides[0].Median("memory"):0} MiB", sides.Count > 1 ? $"{sides[1].Median("memory"):0} MiB" : "",
            Ratio("memory"), "a quarter");
        results.Row(
            "memory at the end (RSS; how many objects there were then)",
            $"{sides[0].Median("memory at the end"):0} MiB ({sides[0].Count})", sides.Count > 1 ? $"{sides[1].Median("memory at the end"):0} MiB ({sides[1].Count})" : "", "", "");
        results.Note("Ratios are embedded to kube-apiserver + etcd. Each side's CPU per request stands in parentheses; the rest of the two cores is the client's.");

        void Rate(string measure, string goal, string? name = null) => results.Row(
            (name ?? measure) + (name is null ? " (a second)" : ""), Cell(sides[0], measure), sides.Count > 1 ? Cell(sides[1], measure) : "", Ratio(measure), goal);

        void Time(string measure, string name, string goal) => results.Row(
            name, $"{sides[0].Median(measure):0.0} ms", sides.Count > 1 ? $"{sides[1].Median(measure):0.0} ms" : "", Ratio(measure), goal);

        string Ratio(string measure) => sides.Count > 1 ? $"{sides[0].Median(measure) / sides[1].Median(measure):0.00}" : "";
        static string Cell(Side side, string measure) => $"{Results.Number(side.Median(measure))} ({Results.Number(side.Median(measure + " cpu"))} µs)";
    }
}
