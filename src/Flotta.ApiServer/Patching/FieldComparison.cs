using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Patching;

/// <summary>Which paths a document has, and how two documents differ, by the shape of their kind.</summary>
internal sealed record FieldComparison(FieldSet Added, FieldSet Modified, FieldSet Removed)
{
    /// <summary>The paths that an applied document has an opinion on.</summary>
    public static FieldSet Of(JsonNode? value, FieldShape shape)
    {
        var set = new FieldSet();
        Collect(value, shape, set, asApplied: true);
        return set;
    }

    public static FieldComparison Between(JsonNode? before, JsonNode? after, FieldShape shape)
    {
        var comparison = new FieldComparison(new(), new(), new());
        Compare(before, after, shape, comparison.Added, comparison.Modified, comparison.Removed);
        return comparison;
    }

    private static void Collect(JsonNode? value, FieldShape shape, FieldSet set, bool asApplied)
    {
        if (shape.IsWhole(value))
        {
            set.Member = true;
            return;
        }

        // A document that is applied owns the entries of a map, not the map; what was added by an update owns the map too.
        if (!asApplied) set.Member = true;
        if (value is JsonObject map)
        {
            foreach (var (name, child) in map)
            {
                var below = set.At(FieldSet.Field(name));
                if (child is null or JsonObject { Count: 0 } || !shape.Declares(name)) below.Member = true;
                Collect(child, shape.Child(name), below, asApplied);
            }
        }
        else if (value is JsonArray list)
        {
            foreach (var item in list)
            {
                var below = set.At(shape.Step(item));
                below.Member = true;
                if (shape.IsKeyed) Collect(item, shape.Item, below, asApplied);
            }
        }
    }

    private static void Compare(JsonNode? before, JsonNode? after, FieldShape shape, FieldSet added, FieldSet modified, FieldSet removed)
    {
        if (before is null && after is null) return;
        if (before is null)
        {
            Collect(after, shape, added, asApplied: false);
        }
        else if (after is null)
        {
            Collect(before, shape, removed, asApplied: false);
        }
        else if (before is JsonObject one && after is JsonObject other && !shape.IsWhole(after))
        {
            foreach (var name in one.Select(pair => pair.Key).Union(other.Select(pair => pair.Key), StringComparer.Ordinal))
            {
                var step = FieldSet.Field(name);
                Compare(one[name], other[name], shape.Child(name), added.At(step), modified.At(step), removed.At(step));
            }
        }
        else if (before is JsonArray first && after is JsonArray second && !shape.IsWhole(after))
        {
            var (old, now) = (Steps(first, shape), Steps(second, shape));
            foreach (var step in old.Keys.Union(now.Keys, StringComparer.Ordinal))
                Compare(old.GetValueOrDefault(step), now.GetValueOrDefault(step), shape.Item, added.At(step), modified.At(step), removed.At(step));
        }
        else if (!JsonKinds.Same(before, after))
        {
            modified.Member = true;
        }
    }

    // Of duplicates the first counts: validation refuses them, but what is stored may be older than its schema.
    private static Dictionary<string, JsonNode?> Steps(JsonArray list, FieldShape shape)
    {
        var steps = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var item in list) steps.TryAdd(shape.Step(item), item);
        return steps;
    }
}
