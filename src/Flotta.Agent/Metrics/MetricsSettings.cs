using Flotta.Wire;

namespace Flotta.Agent.Metrics;

/// <summary>What the configuration says of metrics, checked and with its defaults: a pure function of it.</summary>
internal sealed record MetricsSettings
{
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(60);

    public required string Url { get; init; }

    public string? Ca { get; init; }

    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(10);

    public int SamplesPerRequest { get; init; } = 10_000;

    public required Retention Retention { get; init; }

    /// <summary>Null is off.</summary>
    public Collection? System { get; init; }

    public Collection? DataTransfer { get; init; }

    public IReadOnlyList<Workload> Workloads { get; init; } = [];

    /// <summary>The part that concerns metrics; null when nobody receives any, since what is never sent nobody could see.</summary>
    public static DeviceConfigurationMessage? Slice(DeviceConfigurationMessage configuration) =>
        string.IsNullOrWhiteSpace(configuration.Configuration?.Metrics?.Receiver?.Url)
            ? null
            : new DeviceConfigurationMessage
            {
                Configuration = new DeviceConfiguration { Metrics = configuration.Configuration.Metrics },
                Workloads =
                [
                    .. (configuration.Workloads ?? [])
                        .Where(workload => workload.Metrics is not null && !string.IsNullOrEmpty(workload.Name))
                        .DistinctBy(workload => workload.Name, StringComparer.Ordinal)
                        .Select(workload => new Workload { Name = workload.Name, Metrics = workload.Metrics }),
                ],
            };

    public static MetricsSettings Of(DeviceConfigurationMessage slice)
    {
        var metrics = slice.Configuration!.Metrics!;
        var receiver = metrics.Receiver!;
        return new MetricsSettings
        {
            Url = receiver.Url!.Trim(),
            Ca = receiver.CaCert,
            Deadline = TimeSpan.FromSeconds(receiver.TimeoutSeconds is > 0 and var seconds ? Math.Min(seconds, 300) : 10),
            SamplesPerRequest = (int)(receiver.RequestNumSamples is > 0 and var most ? Math.Min(most, 100_000) : 10_000),
            Retention = new Retention(
                metrics.Retention?.MaxHours is > 0 and var hours ? TimeSpan.FromHours(Math.Min(hours, 24 * 366 * 10)) : Retention.Default.Age,
                metrics.Retention?.MaxMib is > 0 and var mebibytes ? Math.Min(mebibytes, 1 << 20) << 20 : Retention.Default.Bytes),
            System = metrics.System?.Disabled == true ? null : new Collection(Interval(metrics.System?.Interval), Names(metrics.System?.AllowList) ?? new AllowList(SystemMetrics.DefaultNames)),
            DataTransfer = metrics.DataTransfer?.Disabled == true ? null : new Collection(Interval(metrics.DataTransfer?.Interval), Names(metrics.DataTransfer?.AllowList) ?? new AllowList(TransferMetrics.DefaultNames)),
            Workloads = slice.Workloads ?? [],
        };
    }

    public static Collection Of(WorkloadMetrics metrics) => new(Interval(metrics.Interval), Names(metrics.AllowList) ?? new AllowList(null));

    private static AllowList? Names(MetricsAllowList? list) => list is null ? null : new AllowList(list.Names ?? []);

    private static TimeSpan Interval(long? seconds) => seconds is > 0 and var given ? TimeSpan.FromSeconds(Math.Min(given, 86_400)) : DefaultInterval;
}

/// <summary>How often, and what.</summary>
internal sealed record Collection(TimeSpan Interval, AllowList Allowed);
