using System.Text.Json.Nodes;
using k8s.Models;

namespace Flotta.Operator;

/// <summary>Adds or removes one finalizer and leaves those of others alone: the patch is refused when the list has changed meanwhile.</summary>
internal static class Finalizers
{
    public static bool Has(IMetadata<V1ObjectMeta> thing, string finalizer) =>
        thing.Metadata.Finalizers?.Contains(finalizer, StringComparer.Ordinal) == true;

    public static JsonObject Adding(IMetadata<V1ObjectMeta> thing, string finalizer) =>
        Patch(thing, [.. thing.Metadata.Finalizers ?? [], finalizer]);

    public static JsonObject Removing(IMetadata<V1ObjectMeta> thing, string finalizer) =>
        Patch(thing, (thing.Metadata.Finalizers ?? []).Where(other => other != finalizer));

    private static JsonObject Patch(IMetadata<V1ObjectMeta> thing, IEnumerable<string> finalizers) => new()
    {
        ["metadata"] = new JsonObject
        {
            ["resourceVersion"] = thing.Metadata.ResourceVersion,
            ["finalizers"] = new JsonArray([.. finalizers.Select(finalizer => (JsonNode)finalizer)]),
        },
    };
}
