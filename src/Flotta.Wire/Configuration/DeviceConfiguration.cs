using System.Text.Json.Serialization;

namespace Flotta.Wire;

/// <summary>What concerns the device itself rather than one of its workloads.</summary>
public sealed record DeviceConfiguration
{
    [JsonPropertyName("ansible-manager")]
    public AnsibleManagerConfiguration? AnsibleManager { get; init; }

    public HeartbeatConfiguration? Heartbeat { get; init; }

    [JsonPropertyName("log-collection")]
    public IReadOnlyDictionary<string, LogCollection>? LogCollection { get; init; }

    public MetricsConfiguration? Metrics { get; init; }

    /// <summary>Ours.</summary>
    public IReadOnlyList<ResourceMonitor>? Monitors { get; init; }

    public IReadOnlyList<Mount>? Mounts { get; init; }

    public OsConfiguration? Os { get; init; }

    public StorageConfiguration? Storage { get; init; }
}

/// <param name="Executions">Ours: what the directive <c>ansible</c> would answer now, by <see cref="PlaybookTask.Uid"/>. A device that is told so need not ask for nothing.</param>
public sealed record AnsibleManagerConfiguration(long? PeriodSeconds, IReadOnlyList<string>? Executions = null);

public sealed record HeartbeatConfiguration
{
    public HardwareProfile? HardwareProfile { get; init; }

    public long? PeriodSeconds { get; init; }
}

public sealed record HardwareProfile
{
    public bool? Include { get; init; }

    /// <summary>One of <see cref="HardwareScopes"/>.</summary>
    public string? Scope { get; init; }
}

public sealed record OsConfiguration
{
    public bool? AutomaticallyUpgrade { get; init; }

    public string? CommitId { get; init; }

    public string? HostedObjectsUrl { get; init; }
}

public sealed record LogCollection
{
    public string? Kind { get; init; }

    public long? BufferSize { get; init; }

    public SyslogConfiguration? SyslogConfig { get; init; }
}

/// <param name="Protocol">tcp or udp; ours: rfc5424+tcp, rfc5424+udp and tls.</param>
/// <param name="CaCert">Ours: PEM text of the authorities that a target with tls is signed by.</param>
public sealed record SyslogConfiguration(string? Address, string? Protocol, string? CaCert = null);

public sealed record StorageConfiguration(S3Storage? S3)
{
    /// <summary>Ours: all transfers of the device together. Absent is as fast as it goes.</summary>
    public long? MaxKibPerSecond { get; init; }

    /// <summary>Ours: when data may be transferred. Absent or empty is always.</summary>
    public IReadOnlyList<SyncWindow>? Schedule { get; init; }
}

/// <param name="Days">Mon to Sun, on which the window opens. Absent or empty is every day.</param>
/// <param name="From">HH:MM by the device's clock.</param>
/// <param name="To">HH:MM; not after From: on the next day.</param>
public sealed record SyncWindow(IReadOnlyList<string>? Days, string? From, string? To);

/// <summary>The three <c>aws_*</c> values are base64.</summary>
public sealed record S3Storage
{
    public string? AwsAccessKeyId { get; init; }

    public string? AwsCaBundle { get; init; }

    public string? AwsSecretAccessKey { get; init; }

    public string? BucketHost { get; init; }

    public string? BucketName { get; init; }

    public int? BucketPort { get; init; }

    public string? BucketRegion { get; init; }

    public override string ToString() => $"bucket {BucketName} at {BucketHost}";
}
