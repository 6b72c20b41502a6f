using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>What makes an openAPIV3Schema structural, and what this server does not take.</summary>
internal static class StructuralRules
{
    private static readonly string[] Types = ["array", "boolean", "integer", "number", "object", "string"];

    private static readonly string[] Unsupported = ["$ref", "$schema", "id", "definitions", "dependencies", "patternProperties", "additionalItems"];

    private static readonly string[] StructureOnly = ["type", "title", "description"];

    private static readonly string[] UndefinedInValidation =
    [
        "default", "additionalProperties", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string",
        "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
    ];

    public static void CheckRoot(JsonObject schema, string path, List<FieldError> errors)
    {
        var type = schema.TextAt("type");
        if (type.Length == 0) errors.Add(FieldError.Required(path + ".type", "must not be empty at the root"));
        else if (type != "object") errors.Add(FieldError.Invalid(path + ".type", type, "must be object at the root"));
        if (schema["default"] is not null) errors.Add(FieldError.Forbidden(path + ".default", "must not be set at the root"));
        Check(schema, path, root: true, errors);
        CheckMetadata(schema, path, errors);
        if (errors.Count == 0) CheckDefaults(schema, path, errors);
    }

    private static void Check(JsonObject schema, string path, bool root, List<FieldError> errors)
    {
        CheckKeywords(schema, path, errors);
        if (schema.TextAt("type") is { Length: > 0 } type)
        {
            if (type == "null") errors.Add(FieldError.Forbidden(path + ".type", "type cannot be set to null, use nullable as an alternative"));
            else if (!Types.Contains(type, StringComparer.Ordinal)) errors.Add(FieldError.NotSupported(path + ".type", type, Types));
            if (type == "array" && schema["items"] is null) errors.Add(FieldError.Required(path + ".items", "must be specified"));
        }

        if (schema["properties"] is JsonObject { Count: > 0 } && schema["additionalProperties"] is JsonObject or JsonValue)
            errors.Add(FieldError.Forbidden(path + ".additionalProperties", "additionalProperties and properties are mutual exclusive"));
        CheckExtensions(schema, path, errors);
        CheckLists(schema, path, errors);
        foreach (var (name, property) in schema["properties"] as JsonObject ?? [])
            CheckChild(property, FieldPath.Key(path + ".properties", name), "must not be empty for specified object fields", root && name == "metadata", errors);
        if (schema["items"] is JsonArray) errors.Add(FieldError.Forbidden(path + ".items", "items must be a schema object and not an array"));
        else if (schema["items"] is { } items) CheckChild(items, path + ".items", "must not be empty for specified array items", false, errors);
        if (schema["additionalProperties"] is JsonObject additional)
            CheckChild(additional, path + ".additionalProperties", "must not be empty for specified object fields", false, errors);
        CheckCombinations(schema, path, errors);
    }

    private static void CheckChild(JsonNode? child, string path, string noType, bool isMetadata, List<FieldError> errors)
    {
        if (child is not JsonObject schema) return;
        var free = schema["x-kubernetes-int-or-string"].AsBoolean() == true || schema["x-kubernetes-preserve-unknown-fields"].AsBoolean() == true;
        // What is not supported is told alone.
        if (!free && !isMetadata && schema["$ref"] is null && schema.TextAt("type").Length == 0) errors.Add(FieldError.Required(path + ".type", noType));
        Check(schema, path, root: false, errors);
    }

    private static void CheckKeywords(JsonObject schema, string path, List<FieldError> errors)
    {
        foreach (var keyword in Unsupported)
        {
            if (schema[keyword] is not null) errors.Add(FieldError.Forbidden($"{path}.{keyword}", keyword + " is not supported"));
        }

        if (schema["uniqueItems"].AsBoolean() == true)
            errors.Add(FieldError.Forbidden(path + ".uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
        if (schema["pattern"].AsText() is { } pattern && GoRegex.Compile(pattern, out var problem) is null)
            errors.Add(FieldError.Invalid(path + ".pattern", pattern, "must be a valid regular expression, but isn't: " + problem));
        if (schema["x-kubernetes-validations"] is JsonArray { Count: > 0 })
            errors.Add(FieldError.Forbidden(path + ".x-kubernetes-validations", "validation rules (CEL) are not supported by this server"));
    }

    private static void CheckExtensions(JsonObject schema, string path, List<FieldError> errors)
    {
        var preserves = schema["x-kubernetes-preserve-unknown-fields"].AsBoolean();
        if (preserves == false) errors.Add(FieldError.Invalid(path + ".x-kubernetes-preserve-unknown-fields", false, "must be true or undefined"));
        if (schema["x-kubernetes-embedded-resource"].AsBoolean() == true)
        {
            if (preserves != true && schema["properties"] is not JsonObject { Count: > 0 })
                errors.Add(FieldError.Required(path + ".properties",
                    "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"));
            if (schema.TextAt("type") is not "object" and var type)
                errors.Add(type.Length == 0
                    ? FieldError.Required(path + ".type", "must be object if x-kubernetes-embedded-resource is true")
                    : FieldError.Invalid(path + ".type", type, "must be object if x-kubernetes-embedded-resource is true"));
        }

        if (schema["x-kubernetes-map-type"].AsText() is { } mapType)
        {
            if (mapType is not ("atomic" or "granular")) errors.Add(FieldError.NotSupported(path + ".x-kubernetes-map-type", mapType, ["atomic", "granular"]));
            if (schema.TextAt("type") != "object")
                errors.Add(schema.TextAt("type").Length == 0
                    ? FieldError.Required(path + ".type", "must be object if x-kubernetes-map-type is specified")
                    : FieldError.Invalid(path + ".type", schema["type"], "must be object if x-kubernetes-map-type is specified"));
        }
    }

    private static void CheckLists(JsonObject schema, string path, List<FieldError> errors)
    {
        var listType = schema["x-kubernetes-list-type"].AsText();
        var keys = schema["x-kubernetes-list-map-keys"].Texts().ToList();
        if (listType is not null)
        {
            if (schema.TextAt("type") != "array")
                errors.Add(schema.TextAt("type").Length == 0
                    ? FieldError.Required(path + ".type", "must be array if x-kubernetes-list-type is specified")
                    : FieldError.Invalid(path + ".type", schema["type"], "must be array if x-kubernetes-list-type is specified"));
            if (listType is not ("atomic" or "set" or "map"))
                errors.Add(FieldError.NotSupported(path + ".x-kubernetes-list-type", listType, ["atomic", "set", "map"]));
        }

        if (keys.Count > 0 && listType != "map")
            errors.Add(listType is null
                ? FieldError.Required(path + ".x-kubernetes-list-type", "must be map if x-kubernetes-list-map-keys is non-empty")
                : FieldError.Invalid(path + ".x-kubernetes-list-type", listType, "must be map if x-kubernetes-list-map-keys is non-empty"));
        if (listType == "map") CheckListMap(schema, path, keys, errors);
        if (listType == "set" && schema["items"] is JsonObject items)
        {
            if (items.TextAt("type") == "object" && items.TextAt("x-kubernetes-map-type") != "atomic")
                errors.Add(FieldError.Invalid(path + ".items.x-kubernetes-map-type", items["x-kubernetes-map-type"].AsText() ?? "null",
                    "must be atomic as item of a list with x-kubernetes-list-type=set"));
            if (items["nullable"].AsBoolean() == true) errors.Add(FieldError.Forbidden(path + ".items.nullable", "cannot be nullable when x-kubernetes-list-type is set"));
        }
    }

    private static void CheckListMap(JsonObject schema, string path, List<string> keys, List<FieldError> errors)
    {
        if (keys.Count == 0)
        {
            errors.Add(FieldError.Required(path + ".x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"));
            return;
        }

        if (schema["items"] is not JsonObject items)
        {
            errors.Add(FieldError.Required(path + ".items", "must have a schema if x-kubernetes-list-type is map"));
            return;
        }

        if (items.TextAt("type") != "object")
        {
            errors.Add(FieldError.Invalid(path + ".items.type", items["type"], "must be object if parent array's x-kubernetes-list-type is map"));
            return;
        }

        if (keys.Any(key => items["properties"].At(key) is not JsonObject))
            errors.Add(new FieldError(path + ".x-kubernetes-list-map-keys", "FieldValueInvalid",
                $"Invalid value: []string{{{string.Join(", ", keys.Select(GoText.Quote))}}}: entries must all be names of item properties"));
        var required = items["required"].Texts().ToHashSet(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            if (items["properties"].At(key) is not JsonObject property) continue;
            if (property["default"] is null && !required.Contains(key))
                errors.Add(FieldError.Required($"{path}.items.properties[{key}].default",
                    "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"));
            if (property.TextAt("type") is "object" or "array")
                errors.Add(FieldError.Invalid($"{path}.items.properties[{key}].type", property["type"], "must be a scalar type if parent array's x-kubernetes-list-type is map"));
        }
    }

    private static void CheckCombinations(JsonObject schema, string path, List<FieldError> errors)
    {
        // anyOf: [{type: integer}, {type: string}] is how an int-or-string says its types, alone or as the first of allOf.
        var mayHaveTypes = schema["x-kubernetes-int-or-string"].AsBoolean() == true;
        foreach (var keyword in (ReadOnlySpan<string>)["allOf", "anyOf", "oneOf"])
        {
            var list = schema[keyword] as JsonArray ?? [];
            for (var i = 0; i < list.Count; i++)
            {
                if (list[i] is JsonObject each) CheckValueValidation(each, $"{path}.{keyword}[{i}]", mayHaveTypes, errors);
            }
        }

        if (schema["not"] is JsonObject not) CheckValueValidation(not, path + ".not", mayHaveTypes: false, errors);
    }

    private static void CheckValueValidation(JsonObject schema, string path, bool mayHaveTypes, List<FieldError> errors)
    {
        CheckKeywords(schema, path, errors);
        foreach (var keyword in StructureOnly)
        {
            if (schema.TextAt(keyword) is { Length: > 0 } text && !(mayHaveTypes && keyword == "type" && text is "integer" or "string"))
                errors.Add(FieldError.Forbidden($"{path}.{keyword}", "must be empty to be structural"));
        }

        foreach (var keyword in UndefinedInValidation)
        {
            if (schema[keyword] is not null) errors.Add(FieldError.Forbidden($"{path}.{keyword}", "must be undefined to be structural"));
        }

        if (schema["nullable"].AsBoolean() == true) errors.Add(FieldError.Forbidden(path + ".nullable", "must be false to be structural"));
        foreach (var (name, property) in schema["properties"] as JsonObject ?? [])
        {
            if (property is JsonObject child) CheckValueValidation(child, FieldPath.Key(path + ".properties", name), mayHaveTypes, errors);
        }

        if (schema["items"] is JsonObject items) CheckValueValidation(items, path + ".items", mayHaveTypes, errors);
        foreach (var keyword in (ReadOnlySpan<string>)["allOf", "anyOf", "oneOf"])
        {
            var list = schema[keyword] as JsonArray ?? [];
            for (var i = 0; i < list.Count; i++)
            {
                if (list[i] is JsonObject each) CheckValueValidation(each, $"{path}.{keyword}[{i}]", mayHaveTypes, errors);
            }
        }

        if (schema["not"] is JsonObject not) CheckValueValidation(not, path + ".not", mayHaveTypes, errors);
    }

    private static void CheckMetadata(JsonObject schema, string path, List<FieldError> errors)
    {
        if (schema["properties"].At("metadata") is not JsonObject metadata) return;
        var at = path + ".properties[metadata]";
        if (metadata.TextAt("type") is not "object" and var type) errors.Add(FieldError.Invalid(at + ".type", type, "must be object"));
        var onlyNames = metadata.All(pair => pair.Key is "type" or "properties" or "description" or "title") &&
                        (metadata["properties"] as JsonObject ?? []).All(pair => pair.Key is "name" or "generateName");
        if (!onlyNames)
            errors.Add(FieldError.Forbidden(at, "must not specify anything other than name and generateName, but metadata is implicitly specified"));
    }

    // A default must be what the schema would have left of it, and valid.
    private static void CheckDefaults(JsonObject schema, string path, List<FieldError> errors)
    {
        if (schema["default"] is { } standard)
        {
            var compiled = SchemaReader.Read(schema);
            var value = standard.DeepClone();
            var removed = new List<string>();
            Pruning.Prune(value, compiled, compiled.EmbeddedResource, "", removed);
            if (removed.Count > 0) errors.Add(FieldError.Invalid(path + ".default", standard, "must not have unknown fields"));
            Defaulting.Default(value, compiled);
            var wrong = new List<FieldError>();
            SchemaValidation.Validate(value, compiled, "", wrong);
            errors.AddRange(wrong.Select(each => each with { Field = each.Field == "<nil>" ? each.Field : FieldPath.Child(path + ".default", each.Field).TrimEnd('.') }));
        }

        foreach (var (name, property) in schema["properties"] as JsonObject ?? [])
        {
            if (property is JsonObject child) CheckDefaults(child, FieldPath.Key(path + ".properties", name), errors);
        }

        if (schema["items"] is JsonObject items) CheckDefaults(items, path + ".items", errors);
        if (schema["additionalProperties"] is JsonObject additional) CheckDefaults(additional, path + ".additionalProperties", errors);
    }
}
