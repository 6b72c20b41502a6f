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
}
