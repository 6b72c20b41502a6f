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
        var difference = default(Difference);
        Compare(before, after, shape, ref difference);
        return new FieldComparison(difference.Added ?? new(), difference.Modified ?? new(), difference.Removed ?? new());
    }

    /// <summary>Of two documents that differ in this one field at most.</summary>
    public static FieldComparison Between(JsonObject before, JsonObject after, FieldShape shape, string field)
    {
        var difference = default(Difference);
        Below(FieldSet.Field, field, before[field], after[field], shape.Child(field), ref difference);
        return new FieldComparison(difference.Added ?? new(), difference.Modified ?? new(), difference.Removed ?? new());
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

    // Sets are made only where something differs: most of what is written is what was there.
    private static void Compare(JsonNode? before, JsonNode? after, FieldShape shape, ref Difference difference)
    {
        if (before is null && after is null) return;
        if (before is null)
        {
            Collect(after, shape, difference.Added ??= new(), asApplied: false);
        }
        else if (after is null)
        {
            Collect(before, shape, difference.Removed ??= new(), asApplied: false);
        }
        else if (before is JsonObject one && after is JsonObject other && !shape.IsWhole(after))
        {
            foreach (var (name, value) in one) Below(FieldSet.Field, name, value, other[name], shape.Child(name), ref difference);
            foreach (var (name, value) in other)
            {
                if (!one.ContainsKey(name)) Below(FieldSet.Field, name, null, value, shape.Child(name), ref difference);
            }
        }
        else if (before is JsonArray first && after is JsonArray second && !shape.IsWhole(after))
        {
            var (old, now) = (Steps(first, shape), Steps(second, shape));
            foreach (var (step, value) in old) Below(static same => same, step, value, now.GetValueOrDefault(step), shape.Item, ref difference);
            foreach (var (step, value) in now)
            {
                if (!old.ContainsKey(step)) Below(static same => same, step, null, value, shape.Item, ref difference);
            }
        }
        else if (!JsonKinds.Same(before, after))
        {
            (difference.Modified ??= new()).Member = true;
        }
    }

    private static void Below(Func<string, string> step, string name, JsonNode? before, JsonNode? after, FieldShape shape, ref Difference difference)
    {
        var below = default(Difference);
        Compare(before, after, shape, ref below);
        if (below.Added is { } added) (difference.Added ??= new()).Children[step(name)] = added;
        if (below.Modified is { } modified) (difference.Modified ??= new()).Children[step(name)] = modified;
        if (below.Removed is { } removed) (difference.Removed ??= new()).Children[step(name)] = removed;
    }

    // Of duplicates the first counts: validation refuses them, but what is stored may be older than its schema.
    private static Dictionary<string, JsonNode?> Steps(JsonArray list, FieldShape shape)
    {
        var steps = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var item in list) steps.TryAdd(shape.Step(item), item);
        return steps;
    }

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private struct Difference
    {
        public FieldSet? Added;
        public FieldSet? Modified;
        public FieldSet? Removed;
    }
}
