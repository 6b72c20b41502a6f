using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Flotta.Resources;

/// <summary>A device that asks to be let in. Always in the namespace "default".</summary>
[Description("A device that asks to be let in")]
[KubernetesEntity(Group = Names.Group, ApiVersion = Names.Version, Kind = KindName, PluralName = Plural)]
public sealed record EdgeDeviceSignedRequest : Resource<EdgeDeviceSignedRequestSpec, EdgeDeviceSignedRequestStatus>
{
    public const string KindName = "EdgeDeviceSignedRequest";

    /// <summary>Not pluralised: scripts and RBAC rules name it like this.</summary>
    public const string Plural = "edgedevicesignedrequest";

    [JsonPropertyName("kind")]
    public override string Kind { get; set; } = KindName;
}

[Description("EdgeDeviceSignedRequestSpec defines the desired state of EdgeDeviceSignedRequest")]
public sealed record EdgeDeviceSignedRequestSpec
{
    [JsonPropertyName("targetNamespace"), Required, Description("The namespace in which the device asks to be registered.")]
    public string TargetNamespace { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("targetSet"), Description("The EdgeDeviceSet that the device becomes a member of.")]
    public string? TargetSet { get; init; }

    [JsonPropertyName("approved"), DefaultValue(false), Description("Let the device in.")]
    public bool? Approved { get; init; }

    [JsonPropertyName("declined"), Description("Do not let the device in, whatever approved says.")]
    public bool? Declined { get; init; }

    [JsonPropertyName("keyFingerprint"), Description("SHA256: and the digest of the public key that the device offered. Empty when it offered none.")]
    public string? KeyFingerprint { get; init; }

    [JsonPropertyName("features"), Description("What the device says about itself.")]
    public DeviceFeatures? Features { get; init; }
}

public sealed record DeviceFeatures
{
    [JsonPropertyName("modelName")]
    public string? ModelName { get; init; }

    [JsonPropertyName("hardware")]
    public Hardware? Hardware { get; init; }
}

[Description("EdgeDeviceSignedRequestStatus defines the observed state of EdgeDeviceSignedRequest")]
public sealed record EdgeDeviceSignedRequestStatus
{
    [JsonPropertyName("conditions"), Required]
    public IReadOnlyList<EnrolmentCondition> Conditions { get; init => field = value ?? []; } = [];
}

public sealed record EnrolmentCondition
{
    [JsonPropertyName("type"), Required, AllowedValues("declined", "approved", "pending"), DefaultValue("pending")]
    public string Type { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("status"), Required, Description("True or False.")]
    public string Status { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("message"), Description("One sentence for a person.")]
    public string? Message { get; init; }

    [JsonPropertyName("lastTransitionTime"), JsonConverter(typeof(InstantConverter)), Description("When the status last changed.")]
    public DateTimeOffset? LastTransitionTime { get; init; }
}
