using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Flotta.Resources;

[Description("EdgeDeviceSpec defines the desired state of EdgeDevice")]
public sealed record EdgeDeviceSpec
{
    [JsonPropertyName("osInformation"), Description("Which operating system image the device runs.")]
    public OsInformation? OsInformation { get; init; }

    [JsonPropertyName("requestTime"), JsonConverter(typeof(InstantConverter)), Description("When the device's enrolment was approved.")]
    public DateTimeOffset? RequestTime { get; init; }

    [JsonPropertyName("heartbeat"), Description("How often, and with what, the device reports.")]
    public HeartbeatSettings? Heartbeat { get; init; }

    [JsonPropertyName("storage"), Description("Where the device's data is synchronised with.")]
    public StorageSettings? Storage { get; init; }

    [JsonPropertyName("metrics"), Description("What the device measures and where the samples go.")]
    public MetricsSettings? Metrics { get; init; }

    [JsonPropertyName("logCollection"), Description("Log targets by name. A workload picks one by its name.")]
    public IReadOnlyDictionary<string, LogTarget>? LogCollection { get; init; }

    [JsonPropertyName("monitors"), Description("Resources whose use raises an alarm.")]
    public IReadOnlyList<ResourceMonitor>? Monitors { get; init; }

    [JsonPropertyName("mounts"), Description("Block devices that the device mounts.")]
    public IReadOnlyList<Mount>? Mounts { get; init; }
}
