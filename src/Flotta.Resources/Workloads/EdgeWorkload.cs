using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Flotta.Resources;

/// <summary>A pod that runs on devices: on one by its name, or on all that a selector matches.</summary>
[Description("A pod that runs on edge devices")]
[KubernetesEntity(Group = Names.Group, ApiVersion = Names.Version, Kind = KindName, PluralName = Plural)]
public sealed record EdgeWorkload : Resource<EdgeWorkloadSpec, EdgeWorkloadStatus>
{
    public const string KindName = "EdgeWorkload";
    public const string Plural = "edgeworkloads";

    [JsonPropertyName("kind")]
    public override string Kind { get; set; } = KindName;
}

[Description("EdgeWorkloadSpec defines the desired state of EdgeWorkload")]
public sealed record EdgeWorkloadSpec
{
    [JsonPropertyName("deviceSelector"), Description("The labels of the devices that run this workload.")]
    public V1LabelSelector? DeviceSelector { get; init; }

    [JsonPropertyName("device"), Description("The name of the one device that runs this workload. Wins over deviceSelector.")]
    public string? Device { get; init; }

    [JsonPropertyName("type"), Required, Description("The kind of workload: pod.")]
    public string Type { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("pod"), Description("The pod to run.")]
    public WorkloadPod? Pod { get; init; }

    [JsonPropertyName("data"), Description("Folders that are synchronised with the device's bucket.")]
    public DataPaths? Data { get; init; }

    [JsonPropertyName("imageRegistries"), Description("Credentials for image registries.")]
    public ImageRegistries? ImageRegistries { get; init; }

    [JsonPropertyName("metrics"), Description("Where the workload serves its metrics.")]
    public WorkloadMetrics? Metrics { get; init; }

    [JsonPropertyName("logCollection"), Description("The name of one of the device's log targets.")]
    public string? LogCollection { get; init; }
}

public sealed record WorkloadPod
{
    [JsonPropertyName("spec"), Required]
    public PodSpec Spec { get; init => field = value ?? PodSpec.Empty; } = PodSpec.Empty;
}

public sealed record DataPaths
{
    [JsonPropertyName("ingress"), Description("From the bucket to the device.")]
    public IReadOnlyList<DataPath>? Ingress { get; init; }

    [JsonPropertyName("egress"), Description("From the device to the bucket.")]
    public IReadOnlyList<DataPath>? Egress { get; init; }

    [JsonPropertyName("ingressMaxMiB"), Range(1, int.MaxValue), Description("How much of the bucket may be on the device, all ingress paths of the workload together. As much as fits when left out.")]
    public int? IngressMaxMiB { get; init; }

    [JsonPropertyName("intervalSeconds"), Range(1, 86400), Description("Seconds between two looks into the bucket. Between 15 and 120, as things change, when left out.")]
    public int? IntervalSeconds { get; init; }
}

public sealed record DataPath
{
    [JsonPropertyName("source"), Required]
    public string Source { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("target"), Required]
    public string Target { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("exclude"), Description("Patterns of files that are not transferred: * within a name, ** across folders; without a slash a name anywhere.")]
    public IReadOnlyList<string>? Exclude { get; init; }
}

public sealed record ImageRegistries
{
    [JsonPropertyName("secretRef"), Description("Secret of type kubernetes.io/dockerconfigjson.")]
    public NameReference? SecretRef { get; init; }
}

public sealed record WorkloadMetrics
{
    [JsonPropertyName("path"), DefaultValue("/")]
    public string? Path { get; init; }

    [JsonPropertyName("port"), Range(0, 65535)]
    public int? Port { get; init; }

    [JsonPropertyName("interval"), Range(0, int.MaxValue), DefaultValue(60), Description("Seconds between two samples.")]
    public int? Interval { get; init; }

    [JsonPropertyName("allowList"), Description("Which metrics are kept.")]
    public NameReference? AllowList { get; init; }

    [JsonPropertyName("containers"), Description("What differs for single containers, by their name.")]
    public IReadOnlyDictionary<string, ContainerMetrics>? Containers { get; init; }
}

public sealed record ContainerMetrics
{
    [JsonPropertyName("path"), DefaultValue("/")]
    public string? Path { get; init; }

    [JsonPropertyName("port"), Range(0, 65535)]
    public int? Port { get; init; }

    [JsonPropertyName("disabled")]
    public bool? Disabled { get; init; }
}

[Description("EdgeWorkloadStatus defines the observed state of EdgeWorkload")]
public sealed record EdgeWorkloadStatus
{
    [JsonPropertyName("devices"), Description("How many devices the workload is assigned to.")]
    public int? Devices { get; init; }

    [JsonPropertyName("running"), Description("On how many of them it runs.")]
    public int? Running { get; init; }

    [JsonPropertyName("conditions")]
    public IReadOnlyList<Condition>? Conditions { get; init; }
}
