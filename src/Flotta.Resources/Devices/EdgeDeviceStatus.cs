using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Flotta.Resources;

[Description("EdgeDeviceStatus defines the observed state of EdgeDevice")]
public sealed record EdgeDeviceStatus
{
    [JsonPropertyName("phase"), Description("What the device says of itself: up or degraded.")]
    public string? Phase { get; init; }

    [JsonPropertyName("lastSeenTime"), JsonConverter(typeof(InstantConverter)), Description("When the device was last heard of, give or take ten minutes.")]
    public DateTimeOffset? LastSeenTime { get; init; }

    [JsonPropertyName("lastSyncedResourceVersion"), Description("The version of the configuration that the device has applied.")]
    public string? LastSyncedResourceVersion { get; init; }

    [JsonPropertyName("connectedTo"), Description("The Edge API replica that the device talks to.")]
    public string? ConnectedTo { get; init; }

    [JsonPropertyName("conditions"), Description("Connected, UpToDate and WorkloadsReady.")]
    public IReadOnlyList<Condition>? Conditions { get; init; }

    [JsonPropertyName("certificate"), Description("The device's present certificate.")]
    public CertificateStatus? Certificate { get; init; }

    [JsonPropertyName("hardware")]
    public Hardware? Hardware { get; init; }

    /// <summary>Stands for the hardware where the facts themselves are not kept in memory. Never written or read.</summary>
    [JsonIgnore]
    public string? HardwareDigest { get; init; }

    [JsonPropertyName("workloads"), Description("The workloads assigned to the device.")]
    public IReadOnlyList<DeviceWorkload>? Workloads { get; init; }

    [JsonPropertyName("PlaybookExec"), Description("The playbooks assigned to the device.")]
    public IReadOnlyList<DevicePlaybook>? PlaybookExec { get; init; }

    [JsonPropertyName("dataObc"), Description("Name of the device's ObjectBucketClaim.")]
    public string? DataObc { get; init; }

    [JsonPropertyName("upgradeInformation")]
    public UpgradeInformation? UpgradeInformation { get; init; }
}

public sealed record CertificateStatus
{
    [JsonPropertyName("serial"), Description("Serial number of the last certificate issued, hexadecimal.")]
    public string? Serial { get; init; }

    [JsonPropertyName("previousSerial"), Description("The one before, accepted until the last one has been used.")]
    public string? PreviousSerial { get; init; }

    [JsonPropertyName("notAfter"), JsonConverter(typeof(InstantConverter)), Description("When the last certificate expires.")]
    public DateTimeOffset? NotAfter { get; init; }

    [JsonPropertyName("keyFingerprint"), Description("SHA256: and the digest of its public key.")]
    public string? KeyFingerprint { get; init; }

    [JsonPropertyName("confirmed"), Description("Whether the device has used it.")]
    public bool? Confirmed { get; init; }
}

public sealed record DeviceWorkload
{
    [JsonPropertyName("name"), Required]
    public string Name { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("phase"), Description("Deploying until the device reports; then the pod's state in podman's words.")]
    public string? Phase { get; init; }

    [JsonPropertyName("reason"), Description("Why it is in this phase, one word.")]
    public string? Reason { get; init; }

    [JsonPropertyName("message"), Description("Why it is in this phase, for a person.")]
    public string? Message { get; init; }

    [JsonPropertyName("lastTransitionTime"), JsonConverter(typeof(InstantConverter))]
    public DateTimeOffset? LastTransitionTime { get; init; }

    [JsonPropertyName("lastDataUpload"), JsonConverter(typeof(InstantConverter))]
    public DateTimeOffset? LastDataUpload { get; init; }
}

public sealed record DevicePlaybook
{
    [JsonPropertyName("name"), Required]
    public string Name { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("PlaybookExecutionStatus")]
    public PlaybookExecutionStatus? PlaybookExecutionStatus { get; init; }
}

public sealed record UpgradeInformation
{
    [JsonPropertyName("currentCommitID"), Required]
    public string CurrentCommitId { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("lastUpgradeStatus"), Description("succeeded or failed.")]
    public string? LastUpgradeStatus { get; init; }

    [JsonPropertyName("lastUpgradeTime")]
    public string? LastUpgradeTime { get; init; }
}
