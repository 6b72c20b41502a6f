using System.ComponentModel;
using System.Text.Json.Serialization;
using Flotta.Resources.Schemas;
using k8s.Models;

namespace Flotta.Resources;

/// <summary>Playbooks for every device that carries the label config/device-by-config with this object's name.</summary>
[Description("Playbooks for every device that carries the label config/device-by-config with this name")]
[KubernetesEntity(Group = Names.Group, ApiVersion = Names.Version, Kind = KindName, PluralName = Plural)]
public sealed record EdgeConfig : Resource<EdgeConfigSpec, EdgeConfigStatus>
{
    public const string KindName = "EdgeConfig";
    public const string Plural = "edgeconfigs";

    [JsonPropertyName("kind")]
    public override string Kind { get; set; } = KindName;
}

[Description("EdgeConfigSpec defines the desired state of EdgeConfig")]
public sealed record EdgeConfigSpec
{
    [JsonPropertyName("edgePlaybook")]
    public EdgePlaybook? EdgePlaybook { get; init; }
}

public sealed record EdgePlaybook
{
    [JsonPropertyName("user"), Description("The user that runs the playbooks.")]
    public string? User { get; init; }

    [JsonPropertyName("playbooks"), MinItems(1)]
    public IReadOnlyList<Playbook>? Playbooks { get; init; }
}

[Description("EdgeConfigStatus defines the observed state of EdgeConfig")]
public sealed record EdgeConfigStatus
{
    [JsonPropertyName("edgePlaybookStatus")]
    public EdgePlaybookStatus? EdgePlaybookStatus { get; init; }
}

public sealed record EdgePlaybookStatus
{
    [JsonPropertyName("conditions")]
    public IReadOnlyList<PlaybookCondition>? Conditions { get; init; }
}
