using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>x-kubernetes-embedded-resource: such an object says what it is, and its metadata is metadata.</summary>
internal static class EmbeddedResources
{
    public static void Check(JsonNode? value, Schema? schema, string path, List<FieldError> errors)
    {
        if (schema is null) return;
        switch (value)
        {
            case JsonObject map:
                if (schema.EmbeddedResource && path.Length > 0) CheckOne(map, path, errors);
                foreach (var (name, child) in map)
                {
                    if (child is not (JsonObject or JsonArray)) continue;
                    if (schema.Properties.TryGetValue(name, out var property)) Check(child, property, FieldPath.Child(path, name), errors);
                    else if (schema.AdditionalProperties is { } additional) Check(child, additional, FieldPath.Key(path, name), errors);
                }

                break;
            case JsonArray list:
                for (var i = 0; i < list.Count; i++) Check(list[i], schema.Items, $"{path}[{i}]", errors);
                break;
        }
    }

    private static void CheckOne(JsonObject map, string path, List<FieldError> errors)
    {
        if (map.TextAt("apiVersion").Length == 0) errors.Add(FieldError.Required(path + ".apiVersion", "must not be empty"));
        if (map.TextAt("kind").Length == 0) errors.Add(FieldError.Required(path + ".kind", "must not be empty"));
        if (map["metadata"] is not JsonObject metadata) return;
        errors.AddRange(ObjectMetadata.CheckEmbedded(metadata, path + ".metadata"));
    }
}
