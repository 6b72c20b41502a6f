using System.ComponentModel;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Flotta.Resources;

/// <summary>Settings for every device that carries the label flotta/member-of with this set's name.</summary>
[Description("Settings for every device that carries the label flotta/member-of with this name")]
[KubernetesEntity(Group = Names.Group, ApiVersion = Names.Version, Kind = KindName, PluralName = Plural)]
public sealed record EdgeDeviceSet : Resource<EdgeDeviceSetSpec, EdgeDeviceSetStatus>
{
    public const string KindName = "EdgeDeviceSet";
    public const string Plural = "edgedevicesets";

    [JsonPropertyName("kind")]
    public override string Kind { get; set; } = KindName;
}

[Description("EdgeDeviceSetSpec defines the desired state of the devices in the set")]
public sealed record EdgeDeviceSetSpec
{
    [JsonPropertyName("heartbeat"), Description("How often, and with what, the devices report.")]
    public HeartbeatSettings? Heartbeat { get; init; }

    [JsonPropertyName("storage"), Description("Where the devices' data is synchronised with.")]
    public StorageSettings? Storage { get; init; }

    [JsonPropertyName("metrics"), Description("What the devices measure and where the samples go.")]
    public MetricsSettings? Metrics { get; init; }

    [JsonPropertyName("logCollection"), Description("Log targets by name. A workload picks one by its name.")]
    public IReadOnlyDictionary<string, LogTarget>? LogCollection { get; init; }

    [JsonPropertyName("osInformation"), Description("Which operating system image the devices run.")]
    public OsInformation? OsInformation { get; init; }

    [JsonPropertyName("monitors"), Description("Resources of each device whose use raises an alarm.")]
    public IReadOnlyList<ResourceMonitor>? Monitors { get; init; }

    [JsonPropertyName("mounts"), Description("Block devices that the devices mount.")]
    public IReadOnlyList<Mount>? Mounts { get; init; }
}

[Description("EdgeDeviceSetStatus defines the observed state of EdgeDeviceSet")]
public sealed record EdgeDeviceSetStatus
{
    [JsonPropertyName("devices"), Description("How many devices carry the set's label.")]
    public int? Devices { get; init; }

    [JsonPropertyName("connected"), Description("How many of them are heard of.")]
    public int? Connected { get; init; }

    [JsonPropertyName("upToDate"), Description("How many of them have applied their configuration.")]
    public int? UpToDate { get; init; }

    [JsonPropertyName("conditions"), Description("UpToDate, and if it is not True the first few devices that are not, and why.")]
    public IReadOnlyList<Condition>? Conditions { get; init; }
}
