using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

// The sections that a device and a set of devices share, one record each.
namespace Flotta.Resources;

public sealed record OsInformation
{
    [JsonPropertyName("automaticallyUpgrade"), Description("Upgrade the operating system as soon as a new commit is wanted.")]
    public bool? AutomaticallyUpgrade { get; init; }

    [JsonPropertyName("commitID"), Description("The wanted OSTree commit.")]
    public string? CommitId { get; init; }

    [JsonPropertyName("hostedObjectsURL"), Description("The web server that serves the commit.")]
    public string? HostedObjectsUrl { get; init; }
}

public sealed record HeartbeatSettings
{
    [JsonPropertyName("periodSeconds"), Range(1, long.MaxValue), Description("Seconds between two heartbeats. 60 when left out.")]
    public long? PeriodSeconds { get; init; }

    [JsonPropertyName("hardwareProfile"), Description("Whether heartbeats carry facts about the hardware.")]
    public HardwareProfile? HardwareProfile { get; init; }
}

public sealed record HardwareProfile
{
    [JsonPropertyName("include"), Description("Send facts about the hardware with heartbeats.")]
    public bool? Include { get; init; }

    [JsonPropertyName("scope"), Description("full sends everything, delta only what changed.")]
    public string? Scope { get; init; }
}

public sealed record StorageSettings
{
    [JsonPropertyName("s3"), Description("Settings of an S3 bucket.")]
    public S3Storage? S3 { get; init; }

    [JsonPropertyName("maxKiBPerSecond"), Range(1, int.MaxValue), Description("How fast data is transferred, both directions and all workloads together. As fast as it goes when left out.")]
    public int? MaxKiBPerSecond { get; init; }

    [JsonPropertyName("schedule"), Description("When data is transferred, by the device's clock. Always when left out.")]
    public IReadOnlyList<SyncWindow>? Schedule { get; init; }
}

public sealed record SyncWindow
{
    [JsonPropertyName("days"), Description("The days on which the window opens: Mon, Tue, Wed, Thu, Fri, Sat, Sun. Every day when left out.")]
    public IReadOnlyList<string>? Days { get; init; }

    [JsonPropertyName("from"), Required, Description("When it opens, as HH:MM.")]
    public string From { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("to"), Required, Description("When it closes, as HH:MM. On the next day if it is not after from.")]
    public string To { get; init => field = value ?? ""; } = "";
}

public sealed record S3Storage
{
    [JsonPropertyName("secretName"), Description("Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and tls.crt if needed.")]
    public string? SecretName { get; init; }

    [JsonPropertyName("configMapName"), Description("ConfigMap with BUCKET_NAME, BUCKET_HOST, BUCKET_PORT and BUCKET_REGION.")]
    public string? ConfigMapName { get; init; }

    [JsonPropertyName("createOBC"), Description("Ask for an ObjectBucketClaim of the device's own. Excludes secretName and configMapName.")]
    public bool? CreateObc { get; init; }
}

public sealed record MetricsSettings
{
    [JsonPropertyName("retention"), Description("How much the device keeps.")]
    public MetricsRetention? Retention { get; init; }

    [JsonPropertyName("system"), Description("Metrics of the device itself.")]
    public MetricsCollection? System { get; init; }

    [JsonPropertyName("dataTransfer"), Description("Metrics of the data synchronisation.")]
    public MetricsCollection? DataTransfer { get; init; }

    [JsonPropertyName("receiverConfiguration"), Description("Where the samples are written to.")]
    public MetricsReceiver? ReceiverConfiguration { get; init; }
}

public sealed record MetricsRetention
{
    [JsonPropertyName("maxMiB"), Range(0, int.MaxValue), Description("At most so many MiB.")]
    public int? MaxMiB { get; init; }

    [JsonPropertyName("maxHours"), Range(0, int.MaxValue), Description("At most so many hours.")]
    public int? MaxHours { get; init; }
}

public sealed record MetricsCollection
{
    [JsonPropertyName("interval"), Range(0, int.MaxValue), DefaultValue(60), Description("Seconds between two samples.")]
    public int? Interval { get; init; }

    [JsonPropertyName("allowList"), Description("Which metrics are kept.")]
    public NameReference? AllowList { get; init; }

    [JsonPropertyName("disabled"), Description("Collect nothing.")]
    public bool? Disabled { get; init; }
}

public sealed record MetricsReceiver
{
    [JsonPropertyName("requestNumSamples"), Description("Samples in one request. 30000 when left out.")]
    public long? RequestNumSamples { get; init; }

    [JsonPropertyName("timeoutSeconds"), Description("How long one request may take. 10 when left out.")]
    public long? TimeoutSeconds { get; init; }

    [JsonPropertyName("url"), Description("Prometheus remote-write address. Nothing is sent when it is empty.")]
    public string? Url { get; init; }

    [JsonPropertyName("caSecretName"), Description("Secret with ca.crt, for https addresses.")]
    public string? CaSecretName { get; init; }
}

public sealed record LogTarget
{
    [JsonPropertyName("kind"), AllowedValues("syslog")]
    public string? Kind { get; init; }

    [JsonPropertyName("bufferSize"), Range(1, int.MaxValue), DefaultValue(12), Description("Size of the buffer in KiB.")]
    public int? BufferSize { get; init; }

    [JsonPropertyName("syslogConfig"), Description("ConfigMap with the keys Address and Protocol.")]
    public NameReference? SyslogConfig { get; init; }
}

public sealed record ResourceMonitor
{
    [JsonPropertyName("name"), Required, Description("Names the condition alarm/NAME of the device.")]
    public string Name { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("resource"), Required, AllowedValues("cpu", "memory", "disk"), Description("What is measured, in percent of what there is.")]
    public string Resource { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("path"), Description("Of a disk: a folder of the file system. / when left out.")]
    public string? Path { get; init; }

    [JsonPropertyName("threshold"), Required, Range(1, 100), Description("Percent at which the alarm begins.")]
    public int Threshold { get; init; }

    [JsonPropertyName("resetBelow"), Range(0, 100), Description("Percent below which it ends. 5 less than the threshold when left out.")]
    public int? ResetBelow { get; init; }

    [JsonPropertyName("durationSeconds"), Range(0, 86400), DefaultValue(60), Description("For how long it has to be so, on either side.")]
    public int? DurationSeconds { get; init; }
}

/// <summary>Another object of the same namespace, by its name.</summary>
public sealed record NameReference
{
    [JsonPropertyName("name"), Required]
    public string Name { get; init => field = value ?? ""; } = "";
}

public sealed record Mount
{
    [JsonPropertyName("device"), Description("The block device.")]
    public string? Device { get; init; }

    [JsonPropertyName("folder"), Description("Where it is mounted.")]
    public string? Folder { get; init; }

    [JsonPropertyName("type"), Description("The file system.")]
    public string? Type { get; init; }

    [JsonPropertyName("options"), Description("Mount options.")]
    public string? Options { get; init; }
}
