using Flotta.Agent.Duties;
using Flotta.Agent.Heartbeats;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Metrics;

/// <summary>What metrics need of the world outside.</summary>
internal sealed record MetricsSources
{
    public required string Folder { get; init; }

    public required string DeviceId { get; init; }

    public required IPodAddresses Pods { get; init; }

    public required SystemMetrics System { get; init; }

    /// <summary>The data-transfer metrics, as they are now.</summary>
    public Func<IReadOnlyList<Sample>> DataTransfer { get; init; } = static () => [];

    /// <summary>Where a node_exporter would be.</summary>
    public Uri NodeExporter { get; init; } = new("http://localhost:9100/metrics");

    public ScrapeLimits Limits { get; init; } = new();
}

/// <summary>Everything about metrics while somebody receives them: one loop for each source, one that sends, and the log between them.</summary>
internal sealed partial class MetricsLoop(MetricsSources sources, IDutyReport report, ILogger<MetricsLoop> logger, TimeProvider time)
{
    /// <summary>How long samples wait for others to go with them in one request.</summary>
    public TimeSpan SendPause { get; init; } = TimeSpan.FromSeconds(15);

    public DutyFacts Facts { get; init; } = new();

    public async Task RunAsync(MetricsSettings settings, CancellationToken cancellationToken)
    {
        using var log = new SampleLog(sources.Folder, settings.Retention, time);
        using var receiver = new RemoteWrite(settings.Url, settings.Ca, settings.Deadline, time);
        using var scraper = new Scraper(sources.Limits, time);
        using var stored = new Signal();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stored.Set();
        var store = new Store(log, stored, time);
        var tasks = new List<Task> { new SendLoop(log, receiver, sources.DeviceId, settings.SamplesPerRequest, report, logger, time) { Pause = SendPause, Delivers = problem => Facts.Delivers(DeliveryKinds.Metrics, "receiver", problem) }.RunAsync(stored, stop.Token) };
        if (settings.System is { } system)
            tasks.Add(EveryAsync(system.Interval, token => SystemAsync(scraper, system.Allowed, store, token), stop.Token));
        if (settings.DataTransfer is { } transfer)
            tasks.Add(EveryAsync(transfer.Interval, _ => DataTransfer(transfer.Allowed, store), stop.Token));
        foreach (var workload in settings.Workloads)
        {
            var collection = MetricsSettings.Of(workload.Metrics!);
            var said = new HashSet<string>(StringComparer.Ordinal);
            tasks.Add(EveryAsync(collection.Interval, token => WorkloadAsync(workload, collection.Allowed, scraper, store, said, token), stop.Token));
        }

        var first = await Task.WhenAny(tasks);
        await stop.CancelAsync();
        await Task.WhenAll(tasks).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await first;
    }

    private async Task EveryAsync(TimeSpan interval, Func<CancellationToken, Task> scrape, CancellationToken cancellationToken)
    {
        // Targets of one device, and devices of one fleet, are not asked all at once.
        await Task.Delay(interval * 0.1 * Random.Shared.NextDouble(), time, cancellationToken);
        while (true)
        {
            var began = time.GetTimestamp();
            await scrape(cancellationToken);
            var rest = interval - time.GetElapsedTime(began);
            await Task.Delay(rest > TimeSpan.Zero ? rest : interval, time, cancellationToken);
        }
    }

    /// <summary>A node_exporter knows more than we do; where none runs we read for ourselves.</summary>
    private async Task SystemAsync(Scraper scraper, AllowList allowed, Store store, CancellationToken cancellationToken)
    {
        var now = store.Now;
        try
        {
            var seen = false;
            bool Wanted(string name)
            {
                seen |= name.StartsWith("node_", StringComparison.Ordinal);
                return allowed.Allows(name);
            }

            var samples = await scraper.ScrapeAsync(sources.NodeExporter, [new(WorkloadTarget.SourceLabel, SystemMetrics.Source)], Wanted, cancellationToken);
            if (seen)
            {
                store.Keep(now, samples);
                return;
            }
        }
        catch (ExpositionException)
        {
        }

        store.Keep(now, sources.System.Read(allowed.Allows));
    }

    private Task DataTransfer(AllowList allowed, Store store)
    {
        store.Keep(store.Now, [.. sources.DataTransfer().Where(sample => allowed.Allows(sample.Labels.Labels().First(label => label.Key == LabelSet.NameLabel).Value))]);
        return Task.CompletedTask;
    }

    /// <param name="said">Which addresses were said to be broken: once, until they work again.</param>
    private async Task WorkloadAsync(Wire.Workload workload, AllowList allowed, Scraper scraper, Store store, HashSet<string> said, CancellationToken cancellationToken)
    {
        if (await sources.Pods.FindAsync(workload.Name!, cancellationToken) is not { } pod)
            return;
        foreach (var target in WorkloadTarget.Of(workload, pod.Containers))
        {
            var key = $"port {target.Port}, path {target.Path}";
            try
            {
                var address = target.At(pod.Host) ?? throw new ExpositionException("the path makes no address");
                var now = store.Now;
                store.Keep(now, await scraper.ScrapeAsync(address, target.Labels, allowed.Allows, cancellationToken));
                said.Remove(key);
            }
            catch (ExpositionException exception)
            {
                if (said.Add(key))
                {
                    LogTarget(logger, target.Workload, target.Port, exception.Message);
                    report.Warn("MetricsUnavailable", $"The metrics of workload {target.Workload} ({key}) cannot be read: {exception.Message}");
                }
            }
        }
    }

    /// <summary>Where the loops of the sources leave what they read.</summary>
    private sealed class Store(SampleLog log, Signal stored, TimeProvider time)
    {
        public long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

        public void Keep(long at, IReadOnlyList<Sample> samples)
        {
            if (samples.Count == 0)
                return;
            log.Append(at, samples);
            stored.Set();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the metrics of workload {Workload} at port {Port} cannot be read: {Problem}")]
    private static partial void LogTarget(ILogger logger, string workload, int port, string problem);
}
