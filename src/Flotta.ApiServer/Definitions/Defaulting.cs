using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>Filling in of defaults. A null where the schema is not nullable counts as absent: it gets the default, or goes.</summary>
internal static class Defaulting
{
    public static void Default(JsonNode? value, Schema? schema)
    {
        if (schema is null) return;
        switch (value)
        {
            case JsonObject map:
                DefaultMap(map, schema);
                break;
            case JsonArray list when schema.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is null && !items.Nullable && items.Default is { } standIn) list[i] = standIn.DeepClone();
                    Default(list[i], items);
                }

                break;
        }
    }

    private static void DefaultMap(JsonObject map, Schema schema)
    {
        foreach (var (name, property) in schema.Properties)
        {
            if (property.Default is null) continue;
            if (!map.TryGetPropertyValue(name, out var present) || (present is null && !property.Nullable)) map[name] = property.Default.DeepClone();
        }

        if (schema.EmbeddedResource && map.TryGetPropertyValue("metadata", out var metadata) && metadata is null) map["metadata"] = new JsonObject();
        List<string>? nulls = null;
        foreach (var (name, child) in map)
        {
            var property = schema.Properties.GetValueOrDefault(name) ?? schema.AdditionalProperties;
            if (property is null) continue;
            if (child is null && !property.Nullable) (nulls ??= []).Add(name);
            else Default(child, property);
        }

        foreach (var name in nulls ?? [])
        {
            // Only additionalProperties are left to be null here and yet have a default.
            if (!schema.Properties.ContainsKey(name) && schema.AdditionalProperties?.Default is { } standIn) map[name] = standIn.DeepClone();
            else map.Remove(name);
        }
    }
}
