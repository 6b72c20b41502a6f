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

    /// <summary>Ours: how each monitor of the configuration stands. Absent where there are none.</summary>
    public IReadOnlyList<AlarmStatus>? Alarms { get; init; }

    /// <summary>Ours: whether what the device sends to others arrives there. Absent where it sends nothing, or nothing yet.</summary>
    public IReadOnlyList<DeliveryStatus>? Deliveries { get; init; }

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

    /// <summary>Ours: of which one of this name this is said.</summary>
    public string? Uid { get; init; }

    /// <summary>Ours: why it has this status, in one word.</summary>
    public string? Reason { get; init; }

    /// <summary>Ours: the same for people.</summary>
    public string? Message { get; init; }

    /// <summary>Ours: how many times it has been started.</summary>
    public int? Attempts { get; init; }

    /// <summary>Ours: what became of its tasks, the last attempt's. Absent where that has been told before.</summary>
    public IReadOnlyList<PlaybookTaskResult>? Tasks { get; init; }
}

/// <summary>One task of a run.</summary>
public sealed record PlaybookTaskResult
{
    public string? Name { get; init; }

    /// <summary>One of <see cref="TaskOutcomes"/>.</summary>
    public string? Outcome { get; init; }

    /// <summary>What it said, where it failed.</summary>
    public string? Message { get; init; }
}

public sealed record UpgradeStatus
{
    [JsonPropertyName("current_commit_ID")]
    public string? CurrentCommitId { get; init; }

    public string? LastUpgradeStatus { get; init; }

    public string? LastUpgradeTime { get; init; }
}

public sealed record AlarmStatus
{
    public string? Name { get; init; }

    public bool? Active { get; init; }

    /// <summary>Of when it last changed, not of now: a heartbeat that tells nothing new is to say the same.</summary>
    public string? Message { get; init; }

    public DateTimeOffset? Since { get; init; }
}

public sealed record DeliveryStatus
{
    /// <summary>One of <see cref="DeliveryKinds"/>.</summary>
    public string? Kind { get; init; }

    public bool? Delivered { get; init; }

    /// <summary>Who cannot be reached, and why; null while all is well.</summary>
    public string? Message { get; init; }
}

public static class DeliveryKinds
{
    public const string Metrics = "metrics";
    public const string Logs = "logs";
}

public sealed record DeviceEvent
{
    public string? Reason { get; init; }

    public string? Message { get; init; }

    /// <summary>One of <see cref="EventTypes"/>.</summary>
    public string? Type { get; init; }

    /// <summary>Ours: the same each time that this event is sent, in whatever message, so that it counts once.</summary>
    public string? Id { get; init; }
}

/// <summary>One entry of the answer to the directive <c>ansible</c>, whose content is a string that holds a JSON array of these.</summary>
public sealed record PlaybookTask
{
    public string? Name { get; init; }

    public string? AnsiblePlaybookString { get; init; }

    public DateTimeOffset? LastDataUpload { get; init; }

    /// <summary>Ours: tells it apart from earlier ones of this name.</summary>
    public string? Uid { get; init; }

    /// <summary>Ours: what it is a part of; its parts run one after the other.</summary>
    public string? Config { get; init; }

    /// <summary>Ours: which part it is, from 0.</summary>
    public int? Index { get; init; }

    /// <summary>Ours: how it is to be run. Absent where nothing is asked for.</summary>
    public PlaybookOptions? Options { get; init; }
}

public sealed record PlaybookOptions
{
    public string? User { get; init; }

    public long? TimeoutSeconds { get; init; }

    /// <summary>Change nothing, only tell what would change.</summary>
    public bool? Check { get; init; }

    public bool? Become { get; init; }

    /// <summary><c>sudo</c> or <c>su</c>.</summary>
    public string? BecomeMethod { get; init; }

    public string? BecomeUser { get; init; }

    /// <summary>Linux capabilities by their ordinal, CHOWN being 0.</summary>
    public IReadOnlyList<int>? CapAdd { get; init; }

    public IReadOnlyList<int>? CapDrop { get; init; }

    /// <summary><c>StopOnFailure</c>, <c>RetryOnFailure</c> or <c>ExecuteOnce</c>.</summary>
    public string? ExecutionStrategy { get; init; }
}
