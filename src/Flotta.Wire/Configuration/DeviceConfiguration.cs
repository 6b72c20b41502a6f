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

    public IReadOnlyList<Mount>? Mounts { get; init; }

    public OsConfiguration? Os { get; init; }

    public StorageConfiguration? Storage { get; init; }
}

public sealed record AnsibleManagerConfiguration(long? PeriodSeconds);

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

public sealed record SyslogConfiguration(string? Address, string? Protocol);

public sealed record StorageConfiguration(S3Storage? S3);

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
