using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>What a typed decoder would refuse with 400 before any validation.</summary>
internal static class Decoding
{
    /// <summary>The message of a 400, or null: wrong types in metadata (any kind) and, for built-in kinds, anywhere. Call it before pruning.</summary>
    public static string? Problem(ResourceDefinition definition, JsonObject value)
    {
        var problem = definition.BuiltIn && definition.Schema is { } schema
            ? Check(value, schema.Root, definition.Kind, "")
            : CheckMetadata(value);
        return problem is null ? null : $"{definition.Kind} in version \"{definition.Version}\" cannot be handled as a {definition.Kind}: {problem}";
    }

    /// <summary>The message of the 400 of fieldValidation=Strict. The parts are `unknown field "spec.x"` and `duplicate field "spec.x"`, as in warnings.</summary>
    public static string StrictMessage(ResourceDefinition definition, IEnumerable<string> parts) =>
        $"{definition.Kind} in version \"{definition.Version}\" cannot be handled as a {definition.Kind}: strict decoding error: {string.Join(", ", parts)}";

    /// <summary>A typed decoder turns null into the zero value: built-in kinds lose fields that are null, and text in a map becomes empty.</summary>
    public static void DropNulls(JsonNode? value, Schema? schema)
    {
        switch (value)
        {
            case JsonObject map:
                foreach (var (name, child) in map.ToList())
                {
                    var property = schema?.Properties.GetValueOrDefault(name) ?? schema?.AdditionalProperties;
                    if (child is not null) DropNulls(child, property);
                    else if (schema?.AdditionalProperties is { Type: "string" }) map[name] = "";
                    else if (schema is { PreserveUnknownFields: false }) map.Remove(name);
                }

                break;
            case JsonArray list:
                foreach (var item in list) DropNulls(item, schema?.Items);
                break;
        }
    }

    private static string? CheckMetadata(JsonObject value) =>
        value["metadata"] is { } metadata ? Check(metadata, ObjectMetadata.Schema, "ObjectMeta", "metadata") : null;

    private static string? Check(JsonNode? value, Schema schema, string type, string path)
    {
        if (value is null || schema.PreserveUnknownFields) return null;
        var kind = value.Kind();
        if (schema.IntOrString)
            return kind is "integer" or "string" ? null : Mismatch(kind, type, path, "intstr.IntOrString");
        if (schema.Type.Length > 0 && kind != schema.Type && !(kind == "integer" && schema.Type == "number")) return Mismatch(kind, type, path, GoType(schema));
        var owner = schema.Model is { } model ? model[(model.LastIndexOf('.') + 1)..] : type;
        switch (value)
        {
            case JsonObject map:
                foreach (var (name, child) in map)
                {
                    var property = schema.Properties.GetValueOrDefault(name) ?? schema.AdditionalProperties;
                    if (property is not null && Check(child, property, owner, FieldPath.Child(path, name)) is { } wrong) return wrong;
                }

                return null;
            case JsonArray list:
                return schema.Items is { } items ? list.Select(item => Check(item, items, owner, path)).FirstOrDefault(wrong => wrong is not null) : null;
            default:
                return CheckText(value, schema);
        }
    }

    private static string? CheckText(JsonNode value, Schema schema)
    {
        if (value.AsText() is not { } text) return null;
        return schema.Format switch
        {
            "date-time" when text.Length > 0 && !Formats.IsDateTime(text) =>
                $"parsing time {GoText.Quote(text)} as \"2006-01-02T15:04:05Z07:00\": cannot parse {GoText.Quote(text)} as \"2006\"",
            "byte" when !Formats.IsBase64(text) => $"illegal base64 data at input byte {IllegalAt(text)}",
            _ => null,
        };
    }

    private static int IllegalAt(string text)
    {
        var index = 0;
        while (index < text.Length && (char.IsAsciiLetterOrDigit(text[index]) || text[index] is '+' or '/')) index++;
        return Math.Min(index, text.Length);
    }

    private static string Mismatch(string kind, string type, string path, string goType)
    {
        var word = kind is "integer" or "number" ? "number" : kind == "boolean" ? "bool" : kind;
        return path.Length == 0
            ? $"json: cannot unmarshal {word} into Go value of type v1.{type}"
            : $"json: cannot unmarshal {word} into Go struct field {type}.{path} of type {goType}";
    }

    private static string GoType(Schema schema) => schema.Type switch
    {
        "boolean" => "bool",
        "integer" => schema.Format == "int64" ? "int64" : "int32",
        "number" => "float64",
        "array" => "[]" + (schema.Items is { } items ? GoType(items) : "interface {}"),
        "object" when schema.AdditionalProperties is { } values => "map[string]" + GoType(values),
        "object" when schema.Model is { } model => "v1." + model[(model.LastIndexOf('.') + 1)..],
        "object" => "map[string]interface {}",
        _ => schema.Format == "byte" ? "[]uint8" : "string",
    };
}
