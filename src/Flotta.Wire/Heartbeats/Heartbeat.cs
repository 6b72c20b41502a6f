using System.Text.Json.Serialization;

namespace Flotta.Wire;

/// <summary>Content of the directive <c>heartbeat</c>. The original validates no value in it, nor should a reader.</summary>
public sealed record Heartbeat
{
    /// <summary>One of <see cref="HeartbeatStatuses"/>.</summary>
    public string? Status { get; init; }

    /// <summary>The version of the configuration that the device has applied.</summary>
    public string? Version { get; init; }

    public IReadOnlyList<WorkloadStatus>? Workloads { get; init; }

    [JsonPropertyName("playbook-executions")]
    public IReadOnlyList<PlaybookExecutionStatus>? PlaybookExecutions { get; init; }

    public UpgradeStatus? Upgrade { get; init; }

    public HardwareInfo? Hardware { get; init; }

    public IReadOnlyList<DeviceEvent>? Events { get; init; }
}

public sealed record WorkloadStatus
{
    public string? Name { get; init; }

    /// <summary>podman's word for the state of the pod.</summary>
    public string? Status { get; init; }

    public DateTimeOffset? LastDataUpload { get; init; }

    /// <summary>Ours: why it is not running, in one word.</summary>
    public string? Reason { get; init; }

    /// <summary>Ours: the same for people.</summary>
    public string? Message { get; init; }
}

public sealed record PlaybookExecutionStatus
{
    public string? Name { get; init; }

    public string? Status { get; init; }

    public DateTimeOffset? LastDataUpload { get; init; }
}

public sealed record UpgradeStatus
{
    [JsonPropertyName("current_commit_ID")]
    public string? CurrentCommitId { get; init; }

    public string? LastUpgradeStatus { get; init; }

    public string? LastUpgradeTime { get; init; }
}

public sealed record DeviceEvent
{
    public string? Reason { get; init; }

    public string? Message { get; init; }

    /// <summary>One of <see cref="EventTypes"/>.</summary>
    public string? Type { get; init; }
}

/// <summary>One entry of the answer to the directive <c>ansible</c>, whose content is a string that holds a JSON array of these.</summary>
public sealed record PlaybookTask
{
    public string? Name { get; init; }

    public string? AnsiblePlaybookString { get; init; }

    public DateTimeOffset? LastDataUpload { get; init; }
}
