using System.Text.Json.Nodes;

namespace Flotta.EdgeApi.Statuses;

/// <summary>The merge patch (RFC 7386) that leads from one document to another; null where they are equal.</summary>
internal static class MergePatch
{
    public static JsonObject? Between(JsonObject before, JsonObject after)
    {
        JsonObject? patch = null;
        foreach (var (key, value) in after)
        {
            before.TryGetPropertyValue(key, out var old);
            if (value is JsonObject inner && old is JsonObject oldInner)
            {
                if (Between(oldInner, inner) is { } difference)
                    (patch ??= [])[key] = difference;
            }
            else if (!JsonNode.DeepEquals(old, value))
            {
                (patch ??= [])[key] = value?.DeepClone();
            }
        }

        foreach (var (key, value) in before)
        {
            if (value != null && !after.ContainsKey(key))
                (patch ??= [])[key] = null;
        }

        return patch;
    }
}
