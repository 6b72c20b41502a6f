using System.Diagnostics;
using System.Text;
using Flotta.Agent.Metrics;
using Flotta.EndToEnd;

namespace Flotta.Bench;

/// <summary>
/// What metrics cost a device. First the log alone, in which a thousand series are stored as often as in a day; then two agents side by side, each with one workload: of one a thousand series are
/// scraped every second while nobody receives them, of the other nothing.
/// </summary>
internal sealed class AgentMetricsBench(string podman) : AgentContract(new Results(
    "agent-metrics", "What metrics cost a device", $"make bench (bench/run.sh agent-metrics), {Window.TotalMinutes:0.#} minutes", "measure", "value", "limit", ""))
{
    private const string Resources = "apis/management.project-flotta.io/v1alpha1/namespaces/default";
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(double.TryParse(Environment.GetEnvironmentVariable("FLOTTA_BENCH_METRICS_MINUTES"), out var minutes) ? minutes : 4);

    /// <summary>Whether every limit was kept.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var root = Directory.CreateTempSubdirectory("flotta-bench-metrics-").FullName;
        try
        {
            var perSample = await StoreAsync(Path.Combine(root, "minutes"), TimeSpan.FromMinutes(1), cancellationToken);
            await StoreAsync(Path.Combine(root, "seconds"), TimeSpan.FromSeconds(10), cancellationToken);
            Row("the default 100 MiB last, with 1,000 series each minute", (100 << 20) / (perSample * MetricsMix.Series * 60 * 24), double.PositiveInfinity, "days");
            await using var plane = await EmbeddedPlane.StartAsync(Directory.CreateDirectory(Path.Combine(root, "plane")).FullName);
            await ScrapeAsync(plane, root, cancellationToken);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        return await EndAsync(cancellationToken);
    }

    private async Task<double> StoreAsync(string folder, TimeSpan interval, CancellationToken cancellationToken)
    {
        var time = new PlayedTime();
        var mix = new MetricsMix();
        var scrapes = (int)(TimeSpan.FromDays(1) / interval);
        using var log = new SampleLog(folder, Retention.Default, time);
        for (var scrape = 0; scrape < scrapes; scrape++)
        {
            using var text = new MemoryStream(Encoding.UTF8.GetBytes(mix.After(interval)));
            log.Append(time.Milliseconds, await ExpositionReader.ReadAsync(text, openMetrics: false, [new("metric_source", "app")], _ => true, new ScrapeLimits(), cancellationToken));
            time.Pass(interval);
        }

        var perSample = Bytes(folder) / ((double)scrapes * MetricsMix.Series);
        Row($"on disk, a sample of 1,000 series every {interval.TotalSeconds:0} s for a day", perSample, 5, "bytes", "N2");
        return perSample;
    }

    private async Task ScrapeAsync(Plane plane, string root, CancellationToken cancellationToken)
    {
        await using var endpoint = new MetricsEndpoint();
        using var kube = plane.Kube();
        await using var plain = AgentProcess.Start(plane, "plain", Path.Combine(root, "plain"), podman);
        await using var metered = AgentProcess.Start(plane, "metered", Path.Combine(root, "metered"), podman);
        foreach (var device in new[] { "plain", "metered" })
            await UntilAsync(() => File.Exists(Path.Combine(root, device, "desired.json")), cancellationToken);
        await kube.ApplyAsync($"{Resources}/edgedevices", "metered", ReceiverThatIsAway(FreePort.Next()), cancellationToken);
        await kube.ApplyAsync($"{Resources}/edgeworkloads", "plain", Workload("plain", ""), cancellationToken);
        await kube.ApplyAsync($"{Resources}/edgeworkloads", "metered", Workload("metered", $"metrics: {{port: {endpoint.Port}, interval: 1}}"), cancellationToken);
        foreach (var device in new[] { "plain", "metered" })
            await UntilAsync(async () => (string?)(await kube.GetAsync($"{Resources}/edgedevices/{device}", cancellationToken))["status"]?["workloads"]?[0]?["phase"] == "Running", cancellationToken);
        await UntilAsync(() => endpoint.Scrapes > 0, cancellationToken);
        await Task.Delay(Settling, cancellationToken);

        var samples = Path.Combine(root, "metered", "metrics");
        var (scrapes, bytes, cpuPlain, cpuMetered, began) = (endpoint.Scrapes, Bytes(samples), plain.CpuSeconds, metered.CpuSeconds, Stopwatch.GetTimestamp());
        List<double> without = [], with = [];
        while (Stopwatch.GetElapsedTime(began) < Window)
        {
            without.Add(plain.MemoryMiB * 1.048576);
            with.Add(metered.MemoryMiB * 1.048576);
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
        }

        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        scrapes = endpoint.Scrapes - scrapes;
        if (plain.HasEnded || metered.HasEnded || scrapes < seconds / 2)
            throw new InvalidOperationException($"an agent ended, or scraped {scrapes} times in {seconds:0} s");
        Row("scrapes of 1,000 series, the receiver being away", scrapes, double.PositiveInfinity, "", "N0");
        Row("memory (RSS), median, without metrics", Median(without), 25, "MB");
        Row("memory (RSS), median, with 1,000 series every second", Median(with), double.PositiveInfinity, "MB");
        Row("that is more by", Median(with) - Median(without), 10, "MB");
        Row("memory (RSS), most, with 1,000 series every second", with.Max(), double.PositiveInfinity, "MB");
        Row("CPU without metrics", (plain.CpuSeconds - cpuPlain) / seconds * 100, double.PositiveInfinity, "% of a core", "N2");
        Row("CPU of a scrape of 1,000 series", (metered.CpuSeconds - cpuMetered - plain.CpuSeconds + cpuPlain) / scrapes * 1000, double.PositiveInfinity, "ms");
        Row("on disk, a sample of 1,000 series every second", (Bytes(samples) - bytes) / ((double)scrapes * MetricsMix.Series), 5, "bytes", "N2");
    }

    private static long Bytes(string folder) => Directory.EnumerateFiles(folder, "*.samples").Sum(file => new FileInfo(file).Length);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static string ReceiverThatIsAway(int port) =>
        $"""
        apiVersion: management.project-flotta.io/v1alpha1
        kind: EdgeDevice
        metadata:
          name: metered
          namespace: default
        spec:
          metrics:
            receiverConfiguration:
              url: http://127.0.0.1:{port}/api/v1/write
            system:
              disabled: true
        """;

    private static string Workload(string device, string metrics) =>
        $"""
        apiVersion: management.project-flotta.io/v1alpha1
        kind: EdgeWorkload
        metadata:
          name: {device}
          namespace: default
        spec:
          type: pod
          device: {device}
          {metrics}
          pod:
            spec:
              hostNetwork: true
              containers:
              - name: app
                image: localhost/flotta-hello:1
                command: ["/bin/busybox", "sleep", "100000"]
        """;

    /// <summary>A clock that goes as fast as there is something to store.</summary>
    private sealed class PlayedTime : TimeProvider
    {
        private DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddDays(20_000);

        public long Milliseconds => _now.ToUnixTimeMilliseconds();

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => _now;

        public override long GetTimestamp() => _now.Ticks;

        public void Pass(TimeSpan time) => _now += time;
    }
}
