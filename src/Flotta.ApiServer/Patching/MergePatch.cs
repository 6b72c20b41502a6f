using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Patching;

/// <summary>RFC 7386. Gives a new document and leaves its arguments as they are.</summary>
internal static class MergePatch
{
    public static JsonNode? Apply(JsonNode? document, JsonNode? patch)
    {
        if (patch is not JsonObject changes) return patch?.DeepClone();
        var result = document is JsonObject map ? (JsonObject)map.DeepClone() : [];
        Merge(result, changes);
        return result;
    }

    private static void Merge(JsonObject target, JsonObject changes)
    {
        foreach (var (name, change) in changes)
        {
            switch (change)
            {
                case null:
                    target.Remove(name);
                    break;
                case JsonObject nested:
                    if (target[name] is not JsonObject child) target[name] = child = [];
                    Merge(child, nested);
                    break;
                default:
                    target[name] = change.DeepClone();
                    break;
            }
        }
    }
}
