using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Patching;

/// <summary>Strategic merge patches: merge patches that know which lists are maps or sets. For built-in kinds only. Gives a new document and leaves its arguments as they are.</summary>
internal static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string DeleteFromList = "$deleteFromPrimitiveList/";
    private const string ElementOrder = "$setElementOrder/";

    /// <exception cref="PatchException">A directive is malformed (400).</exception>
    public static JsonObject Apply(JsonObject document, JsonObject patch, ResourceDefinition definition)
    {
        var result = (JsonObject)document.DeepClone();
        return MergeMap(result, patch, definition.Schema?.Root);
    }

    private static JsonObject MergeMap(JsonObject target, JsonObject patch, Schema? schema)
    {
        switch (patch[Directive].AsText())
        {
            case "replace":
                return Cleaned(patch);
            case "delete":
                return [];
            case null or "merge":
                break;
            case var unknown:
                throw new PatchException(400, $"Unknown patch directive: {unknown}");
        }

        if (patch.ContainsKey(RetainKeys)) Retain(target, patch);
        foreach (var (key, _) in patch)
        {
            if (key.StartsWith(DeleteFromList, StringComparison.Ordinal)) DeletePrimitives(target, key[DeleteFromList.Length..], patch[key]);
        }

        foreach (var (key, change) in patch)
        {
            if (key.StartsWith('$')) continue;
            MergeField(target, key, change, schema?.Properties.GetValueOrDefault(key) ?? schema?.AdditionalProperties);
        }

        foreach (var (key, order) in patch)
        {
            if (!key.StartsWith(ElementOrder, StringComparison.Ordinal)) continue;
            var field = key[ElementOrder.Length..];
            if (target[field] is JsonArray list && order is JsonArray wanted)
                target[field] = Sorted(list, wanted, schema?.Properties.GetValueOrDefault(field)?.PatchMergeKey);
        }

        return target;
    }

    private static void MergeField(JsonObject target, string key, JsonNode? change, Schema? schema)
    {
        switch (change)
        {
            case null:
                target.Remove(key);
                break;
            case JsonObject map:
                if (schema?.PatchStrategy?.Contains("replace", StringComparison.Ordinal) == true || target[key] is not JsonObject present)
                    target[key] = MergeMap([], map, schema);
                else if (MergeMap(present, map, schema) is var merged && !ReferenceEquals(merged, present))
                    target[key] = merged;
                break;
            case JsonArray list when schema?.PatchStrategy?.Contains("merge", StringComparison.Ordinal) == true:
                var before = target[key] as JsonArray ?? [];
                target[key] = schema.PatchMergeKey is { } mergeKey ? MergeByKey(before, list, mergeKey, schema.Items) : MergePrimitives(before, list);
                break;
            default:
                target[key] = change.DeepClone();
                break;
        }
    }

    private static void Retain(JsonObject target, JsonObject patch)
    {
        if (patch[RetainKeys] is not JsonArray keys) throw new PatchException(400, "$retainKeys must be a list");
        var retained = keys.Texts().ToHashSet(StringComparer.Ordinal);
        if (patch.Any(pair => !pair.Key.StartsWith('$') && pair.Value is not null && !retained.Contains(pair.Key)))
            throw new PatchException(400, "$retainKeys list doesn't contain all the keys in the patch");
        foreach (var name in target.Select(pair => pair.Key).Where(name => !retained.Contains(name)).ToList()) target.Remove(name);
    }

    private static void DeletePrimitives(JsonObject target, string field, JsonNode? values)
    {
        if (target[field] is not JsonArray list || values is not JsonArray gone) return;
        foreach (var item in list.Where(item => gone.Any(each => JsonKinds.Same(each, item))).ToList()) list.Remove(item);
    }

    private static JsonArray MergePrimitives(JsonArray before, JsonArray changes)
    {
        var merged = (JsonArray)before.DeepClone();
        foreach (var change in changes)
        {
            if (!merged.Any(item => JsonKinds.Same(item, change))) merged.Add(change?.DeepClone());
        }

        return merged;
    }

    private static JsonArray MergeByKey(JsonArray before, JsonArray changes, string mergeKey, Schema? items)
    {
        if (changes.Objects().Any(change => change.Count == 1 && change[Directive].AsText() == "replace"))
            return [.. changes.Objects().Where(change => !change.ContainsKey(Directive)).Select(change => change.DeepClone())];
        var merged = (JsonArray)before.DeepClone();
        foreach (var change in changes)
        {
            if (change is not JsonObject map) throw new PatchException(400, $"a list with merge key {mergeKey} holds objects");
            if (!map.TryGetPropertyValue(mergeKey, out var identity) || identity is null)
                throw new PatchException(400, $"map: {map.ToJsonString()} does not contain declared merge key: {mergeKey}");
            var index = IndexOf(merged, mergeKey, identity);
            switch (map[Directive].AsText())
            {
                case "delete":
                    while (index >= 0)
                    {
                        merged.RemoveAt(index);
                        index = IndexOf(merged, mergeKey, identity);
                    }

                    break;
                case "replace":
                    if (index >= 0) merged[index] = Cleaned(map);
                    else merged.Add((JsonNode)Cleaned(map));
                    break;
                default:
                    if (index < 0) merged.Add((JsonNode)MergeMap([], map, items));
                    else if (MergeMap((JsonObject)merged[index]!, map, items) is var item && !ReferenceEquals(item, merged[index])) merged[index] = item;
                    break;
            }
        }

        return merged;
    }

    private static int IndexOf(JsonArray list, string mergeKey, JsonNode? identity)
    {
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] is JsonObject item && item.ContainsKey(mergeKey) && JsonKinds.Same(item[mergeKey], identity)) return i;
        }

        return -1;
    }

    // Items in the wanted order; those that are not in it stay where they were, after the item that stood before them.
    private static JsonArray Sorted(JsonArray list, JsonArray wanted, string? mergeKey)
    {
        int Rank(JsonNode? item)
        {
            for (var i = 0; i < wanted.Count; i++)
            {
                if (mergeKey is null ? JsonKinds.Same(wanted[i], item) : JsonKinds.Same(wanted[i].At(mergeKey), item.At(mergeKey))) return i;
            }

            return -1;
        }

        var ranked = list.Select(item => (Item: item, Rank: Rank(item))).ToList();
        var ordered = new Queue<JsonNode?>(ranked.Where(each => each.Rank >= 0).OrderBy(each => each.Rank).Select(each => each.Item));
        // Places of ranked items are filled in the wanted order; the others keep their places.
        return [.. ranked.Select(each => (each.Rank >= 0 ? ordered.Dequeue() : each.Item)?.DeepClone())];
    }

    private static JsonObject Cleaned(JsonObject patch)
    {
        var clean = (JsonObject)patch.DeepClone();
        foreach (var name in clean.Select(pair => pair.Key).Where(name => name.StartsWith('$')).ToList()) clean.Remove(name);
        return clean;
    }
}
