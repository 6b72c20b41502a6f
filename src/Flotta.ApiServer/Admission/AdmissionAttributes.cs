using System.Text.Json.Nodes;
using Flotta.ApiServer.Access;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;

namespace Flotta.ApiServer.Admission;

/// <summary>A write before it is done.</summary>
/// <param name="Operation">CREATE, UPDATE or DELETE.</param>
/// <param name="Object">What is to be written; null for a deletion.</param>
/// <param name="Old">What is there; null for a creation.</param>
internal sealed record AdmissionAttributes(
    Caller Caller, ServedResource Served, string Operation, string Subresource, string Namespace, string Name, JsonObject? Object, JsonObject? Old, bool DryRun)
{
    public ResourceDefinition Definition => Served.Definition;

    /// <summary>The document that is sent to a webhook whose rules mean this version of the resource.</summary>
    public JsonObject Review(string uid, ServedResource version) => new()
    {
        ["kind"] = "AdmissionReview",
        ["apiVersion"] = "admission.k8s.io/v1",
        ["request"] = new JsonObject
        {
            ["uid"] = uid,
            ["kind"] = KindOf(version.Definition),
            ["resource"] = ResourceOf(version.Definition),
            ["subResource"] = Subresource.Length > 0 ? Subresource : null,
            ["requestKind"] = KindOf(Definition),
            ["requestResource"] = ResourceOf(Definition),
            ["requestSubResource"] = Subresource.Length > 0 ? Subresource : null,
            ["name"] = Name,
            ["namespace"] = Definition.Namespaced ? Namespace : Definition is { Group: "", Kind: "Namespace" } ? Name : null,
            ["operation"] = Operation,
            ["userInfo"] = new JsonObject { ["username"] = Caller.User, ["groups"] = new JsonArray([.. Caller.Groups.Select(group => (JsonNode)group)]) },
            ["object"] = In(version, Object),
            ["oldObject"] = In(version, Old),
            ["dryRun"] = DryRun,
            ["options"] = new JsonObject
            {
                ["kind"] = Operation[0] + Operation[1..].ToLowerInvariant() + "Options", ["apiVersion"] = "meta.k8s.io/v1",
            },
        },
    };

    /// <summary>From the version that a webhook was shown to the one that was asked for.</summary>
    public JsonObject Back(ServedResource version, JsonObject value) => ReferenceEquals(version, Served) ? value : Convert(value, version, Served);

    private JsonObject? In(ServedResource version, JsonObject? value) => value is null ? null
        : ReferenceEquals(version, Served) ? (JsonObject)value.DeepClone()
        : Convert((JsonObject)value.DeepClone(), Served, version);

    private static JsonObject Convert(JsonObject value, ServedResource from, ServedResource to)
    {
        value = from.Definition.ToStored?.Invoke(value) ?? value;
        value = to.Definition.FromStored?.Invoke(value) ?? value;
        value["apiVersion"] = to.Definition.ApiVersion;
        return value;
    }

    private JsonObject KindOf(ResourceDefinition definition) => Subresource == "scale"
        ? new() { ["group"] = "autoscaling", ["version"] = "v1", ["kind"] = "Scale" }
        : new() { ["group"] = definition.Group, ["version"] = definition.Version, ["kind"] = definition.Kind };

    private static JsonObject ResourceOf(ResourceDefinition definition) =>
        new() { ["group"] = definition.Group, ["version"] = definition.Version, ["resource"] = definition.Plural };
}
