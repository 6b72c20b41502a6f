using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Flotta.Resources;

/// <summary>One playbook on one device.</summary>
[Description("One playbook on one device")]
[KubernetesEntity(Group = Names.Group, ApiVersion = Names.Version, Kind = KindName, PluralName = Plural)]
public sealed record PlaybookExecution : Resource<PlaybookExecutionSpec, PlaybookExecutionStatus>
{
    public const string KindName = "PlaybookExecution";
    public const string Plural = "playbookexecutions";

    [JsonPropertyName("kind")]
    public override string Kind { get; set; } = KindName;

    /// <summary>Whether the device has said that it is through with it, well or not.</summary>
    public bool HasEnded() => Is(Names.PlaybookConditions.Succeeded) || Is(Names.PlaybookConditions.Failed);

    public bool HasFailed() => Is(Names.PlaybookConditions.Failed);

    private bool Is(string type) => Status?.Conditions?.Any(condition => condition.Type == type && condition.Status == Names.ConditionStatus.True) == true;
}

[Description("PlaybookExecutionSpec defines the desired state of PlaybookExecution")]
public sealed record PlaybookExecutionSpec
{
    [JsonPropertyName("playbook")]
    public Playbook? Playbook { get; init; }

    [JsonPropertyName("executionAttempt"), Range(0, int.MaxValue), Description("How many times the playbook has been tried.")]
    public int? ExecutionAttempt { get; init; }
}

[Description("PlaybookExecutionStatus defines the observed state of PlaybookExecution")]
public sealed record PlaybookExecutionStatus
{
    [JsonPropertyName("conditions")]
    public IReadOnlyList<PlaybookCondition>? Conditions { get; init; }

    [JsonPropertyName("attempts"), Description("How many times the device has started it.")]
    public int? Attempts { get; init; }

    [JsonPropertyName("tasks"), Description("What became of its tasks in the last attempt; of a long playbook the first and the last ones.")]
    public IReadOnlyList<PlaybookTaskResult>? Tasks { get; init; }
}

public sealed record PlaybookTaskResult
{
    [JsonPropertyName("name"), Required]
    public string Name { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("outcome"), Description("ok, changed, skipped, failed, ignored (failed, and nobody minds) or unreachable.")]
    public string? Outcome { get; init; }

    [JsonPropertyName("message"), Description("What it said, where it failed.")]
    public string? Message { get; init; }
}
