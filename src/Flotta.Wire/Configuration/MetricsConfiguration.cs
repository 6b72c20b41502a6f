using System.Text.Json.Serialization;

namespace Flotta.Wire;

public sealed record MetricsConfiguration
{
    [JsonPropertyName("data-transfer")]
    public ComponentMetrics? DataTransfer { get; init; }

    public MetricsReceiver? Receiver { get; init; }

    public MetricsRetention? Retention { get; init; }

    public ComponentMetrics? System { get; init; }
}

public sealed record ComponentMetrics
{
    public MetricsAllowList? AllowList { get; init; }

    public bool? Disabled { get; init; }

    /// <summary>Seconds.</summary>
    public long? Interval { get; init; }
}

public sealed record MetricsAllowList(IReadOnlyList<string>? Names);

public sealed record MetricsReceiver
{
    [JsonPropertyName("caCert")]
    public string? CaCert { get; init; }

    public long? RequestNumSamples { get; init; }

    public long? TimeoutSeconds { get; init; }

    public string? Url { get; init; }
}

public sealed record MetricsRetention(long? MaxHours, long? MaxMib);
