using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Flotta.Resources;

[Description("An Ansible playbook and how it is run.")]
public sealed record Playbook
{
    [JsonPropertyName("content"), Required, Description("The playbook, base64.")]
    public byte[] Content { get; init => field = value ?? []; } = [];

    [JsonPropertyName("timeoutSeconds"), Description("How long a run may take.")]
    public long? TimeoutSeconds { get; init; }

    [JsonPropertyName("requiredPrivilegeLevel"), Description("Linux capabilities by their ordinal, CHOWN being 0.")]
    public PrivilegeLevel? RequiredPrivilegeLevel { get; init; }

    [JsonPropertyName("ansibleOptions")]
    public AnsibleOptions? AnsibleOptions { get; init; }

    [JsonPropertyName("privilegeEscalationOptions")]
    public PrivilegeEscalation? PrivilegeEscalationOptions { get; init; }

    [JsonPropertyName("executionStrategy"), Description("StopOnFailure, RetryOnFailure or ExecuteOnce.")]
    public string? ExecutionStrategy { get; init; }
}

public sealed record PrivilegeLevel
{
    [JsonPropertyName("capAdd")]
    public IReadOnlyList<int>? CapAdd { get; init; }

    [JsonPropertyName("capDrop")]
    public IReadOnlyList<int>? CapDrop { get; init; }
}

public sealed record AnsibleOptions
{
    [JsonPropertyName("check"), Description("Change nothing, only tell what would change.")]
    public bool? Check { get; init; }
}

public sealed record PrivilegeEscalation
{
    [JsonPropertyName("become")]
    public bool? Become { get; init; }

    [JsonPropertyName("becomeMethod"), AllowedValues("sudo", "su")]
    public string? BecomeMethod { get; init; }

    [JsonPropertyName("becomeUser")]
    public string? BecomeUser { get; init; }
}

public sealed record PlaybookCondition
{
    [JsonPropertyName("type"), Required]
    public string Type { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("status"), Required]
    public string Status { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("reason")]
    public string? Reason { get; init; }

    [JsonPropertyName("message")]
    public string? Message { get; init; }

    [JsonPropertyName("lastTransitionTime"), JsonConverter(typeof(InstantConverter))]
    public DateTimeOffset? LastTransitionTime { get; init; }
}
