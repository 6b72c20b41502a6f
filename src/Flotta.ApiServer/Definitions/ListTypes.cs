using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>Items of a set, and keys of a list-map, occur once.</summary>
internal static class ListTypes
{
    public static void Check(JsonNode? value, Schema? schema, string path, List<FieldError> errors)
    {
        if (schema is null) return;
        switch (value)
        {
            case JsonObject map:
                foreach (var (name, child) in map)
                {
                    if (child is not (JsonObject or JsonArray)) continue;
                    if (schema.Properties.TryGetValue(name, out var property)) Check(child, property, FieldPath.Child(path, name), errors);
                    else if (schema.AdditionalProperties is { } additional) Check(child, additional, FieldPath.Key(path, name), errors);
                }

                break;
            case JsonArray list:
                if (schema.ListType == "set") CheckSet(list, path, errors);
                else if (schema.ListType == "map") CheckMap(list, schema, path, errors);
                for (var i = 0; i < list.Count; i++) Check(list[i], schema.Items, $"{path}[{i}]", errors);
                break;
        }
    }

    private static void CheckSet(JsonArray list, string path, List<FieldError> errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            if (!seen.Add(Canonical(list[i]))) errors.Add(FieldError.Duplicate($"{path}[{i}]", list[i]));
        }
    }

    private static void CheckMap(JsonArray list, Schema schema, string path, List<FieldError> errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] is not JsonObject item)
            {
                errors.Add(FieldError.Invalid($"{path}[{i}]", list[i], "must be an object for an array of list-type map"));
                continue;
            }

            var keys = new JsonObject();
            foreach (var key in schema.ListMapKeys) keys[key] = item[key]?.DeepClone();
            if (!seen.Add(Canonical(keys))) errors.Add(FieldError.Duplicate($"{path}[{i}]", keys));
        }
    }

    // GoText sorts keys and writes numbers one way, so that equal values have equal texts.
    private static string Canonical(JsonNode? value) => GoText.Value(value);
}

internal static class FieldPath
{
    public static string Child(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    public static string Key(string path, string name) => $"{path}[{name}]";
}
