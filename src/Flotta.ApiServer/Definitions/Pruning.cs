using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>Removal of fields that a schema does not know.</summary>
internal static class Pruning
{
    private static readonly string[] TypeMeta = ["apiVersion", "kind"];

    /// <param name="root">The value is an object of its own, with apiVersion, kind and metadata.</param>
    public static void Prune(JsonNode? value, Schema? schema, bool root, string path, List<string> removed)
    {
        switch (value)
        {
            case JsonObject map:
                PruneMap(map, schema, root, path, removed);
                break;
            case JsonArray list:
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is JsonObject or JsonArray) Prune(list[i], schema?.Items, schema?.Items?.EmbeddedResource ?? false, $"{path}[{i}]", removed);
                }

                break;
        }
    }

    private static void PruneMap(JsonObject map, Schema? schema, bool root, string path, List<string> removed)
    {
        List<string>? unknown = null;
        foreach (var (name, child) in map)
        {
            if (root && TypeMeta.Contains(name, StringComparer.Ordinal)) continue;
            if (root && name == "metadata")
            {
                Prune(child, ObjectMetadata.Schema, root: false, Join(path, name), removed);
            }
            else if (schema is not null && schema.Properties.TryGetValue(name, out var property))
            {
                if (child is JsonObject or JsonArray) Prune(child, property, property.EmbeddedResource, Join(path, name), removed);
            }
            else if (schema is { AdditionalProperties: not null } or { AdditionalPropertiesAllowed: not null })
            {
                if (child is JsonObject or JsonArray)
                    Prune(child, schema.AdditionalProperties, schema.AdditionalProperties?.EmbeddedResource ?? false, Join(path, name), removed);
            }
            else if (schema is not { PreserveUnknownFields: true })
            {
                (unknown ??= []).Add(name);
            }
        }

        foreach (var name in unknown ?? [])
        {
            map.Remove(name);
            removed.Add(Join(path, name));
        }
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
