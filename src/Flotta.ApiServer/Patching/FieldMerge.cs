using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Patching;

/// <summary>Applied documents into live ones, and fields that nobody wants any more out of them.</summary>
internal static class FieldMerge
{
    public static JsonNode? Merge(JsonNode? live, JsonNode? applied, FieldShape shape)
    {
        switch (live, applied)
        {
            case (_, JsonObject wanted) when !shape.IsWhole(applied):
                var map = live is JsonObject present ? (JsonObject)present.DeepClone() : [];
                foreach (var (name, value) in wanted) map[name] = Merge(map[name], value, shape.Child(name));
                return map;
            case (JsonArray items, JsonArray wanted) when !shape.IsWhole(applied):
                return MergeLists(items, wanted, shape);
            default:
                return applied?.DeepClone();
        }
    }

    /// <summary>Takes out of the value what is in the set; a list or map goes with all that is in it.</summary>
    public static void Remove(JsonNode? value, FieldSet set, FieldShape shape)
    {
        switch (value)
        {
            case JsonObject map:
                foreach (var (step, child) in set.Children)
                {
                    if (!step.StartsWith("f:", StringComparison.Ordinal)) continue;
                    var name = step[2..];
                    if (child.Member) map.Remove(name);
                    else Remove(map[name], child, shape.Child(name));
                }

                break;
            case JsonArray list when !shape.IsWhole(list):
                foreach (var item in list.ToList())
                {
                    if (set.Find(shape.Step(item)) is not { } child) continue;
                    if (child.Member) list.Remove(item);
                    else Remove(item, child, shape.Item);
                }

                break;
        }
    }

    // What is there keeps its place; what is new comes after it, in the order in which it was applied.
    private static JsonArray MergeLists(JsonArray live, JsonArray applied, FieldShape shape)
    {
        var wanted = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var item in applied) wanted[shape.Step(item)] = item;
        var merged = new JsonArray();
        foreach (var item in live)
            merged.Add(wanted.Remove(shape.Step(item), out var change) && shape.IsKeyed ? Merge(item, change, shape.Item) : item?.DeepClone());
        foreach (var item in applied)
        {
            if (wanted.Remove(shape.Step(item))) merged.Add(shape.IsKeyed ? Merge(null, item, shape.Item) : item?.DeepClone());
        }

        return merged;
    }
}
