using System.ComponentModel;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Flotta.Resources;

/// <summary>One edge device.</summary>
[Description("One edge device")]
[KubernetesEntity(Group = Names.Group, ApiVersion = Names.Version, Kind = KindName, PluralName = Plural)]
public sealed record EdgeDevice : Resource<EdgeDeviceSpec, EdgeDeviceStatus>
{
    public const string KindName = "EdgeDevice";
    public const string Plural = "edgedevices";

    [JsonPropertyName("kind")]
    public override string Kind { get; set; } = KindName;
}
