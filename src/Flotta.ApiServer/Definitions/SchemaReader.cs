using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>From the JSON of an openAPIV3Schema to <see cref="Schema"/>. What is malformed is left out: <see cref="StructuralRules"/> says so before.</summary>
internal static class SchemaReader
{
    public static Schema Read(JsonObject json) => Read(json, json);

    private static Schema Read(JsonObject json, JsonObject? source = null)
    {
        var pattern = json["pattern"].AsText();
        return new Schema
        {
            Source = source,
            Type = json.TextAt("type"),
            Nullable = json["nullable"].AsBoolean() ?? false,
            Format = json.TextAt("format"),
            Description = json.TextAt("description"),
            Default = json["default"]?.DeepClone(),
            Properties = (json["properties"] as JsonObject)?.Where(pair => pair.Value is JsonObject)
                .ToDictionary(pair => pair.Key, pair => Read((JsonObject)pair.Value!, null), StringComparer.Ordinal) ?? [],
            AdditionalProperties = Child(json["additionalProperties"]),
            AdditionalPropertiesAllowed = json["additionalProperties"].AsBoolean(),
            Items = Child(json["items"]),
            Required = [.. json["required"].Texts()],
            Enum = json["enum"] is JsonArray values ? [.. values.Select(value => value?.DeepClone())] : null,
            Pattern = pattern,
            PatternRegex = pattern is null ? null : GoRegex.Compile(pattern, out _),
            Minimum = json["minimum"].AsNumber(),
            Maximum = json["maximum"].AsNumber(),
            ExclusiveMinimum = json["exclusiveMinimum"].AsBoolean() ?? false,
            ExclusiveMaximum = json["exclusiveMaximum"].AsBoolean() ?? false,
            MultipleOf = json["multipleOf"].AsNumber(),
            MinLength = json["minLength"].AsInteger(),
            MaxLength = json["maxLength"].AsInteger(),
            MinItems = json["minItems"].AsInteger(),
            MaxItems = json["maxItems"].AsInteger(),
            MinProperties = json["minProperties"].AsInteger(),
            MaxProperties = json["maxProperties"].AsInteger(),
            AllOf = [.. json["allOf"].Objects().Select(each => Read(each, null))],
            AnyOf = [.. json["anyOf"].Objects().Select(each => Read(each, null))],
            OneOf = [.. json["oneOf"].Objects().Select(each => Read(each, null))],
            Not = Child(json["not"]),
            IntOrString = json["x-kubernetes-int-or-string"].AsBoolean() ?? false,
            EmbeddedResource = json["x-kubernetes-embedded-resource"].AsBoolean() ?? false,
            PreserveUnknownFields = json["x-kubernetes-preserve-unknown-fields"].AsBoolean() ?? false,
            ListType = json["x-kubernetes-list-type"].AsText(),
            ListMapKeys = [.. json["x-kubernetes-list-map-keys"].Texts()],
            MapType = json["x-kubernetes-map-type"].AsText(),
        };
    }

    private static Schema? Child(JsonNode? json) => json is JsonObject schema ? Read(schema, null) : null;
}
