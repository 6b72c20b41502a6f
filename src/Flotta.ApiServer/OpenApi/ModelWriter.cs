using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.OpenApi;

/// <summary>Schemas as OpenAPI models. Version 2 cannot say nullable, anyOf and their like: it says less then.</summary>
internal sealed class ModelWriter(bool v3)
{
    private const string GroupVersionKind = "x-kubernetes-group-version-kind";

    // What the second version of OpenAPI has no words for.
    private static readonly string[] OnlyV3 = ["anyOf", "oneOf", "allOf", "not", "nullable", "default", "exclusiveMaximum", "exclusiveMinimum"];

    private readonly SortedDictionary<string, JsonObject> models = new(StringComparer.Ordinal);
    private readonly Queue<Schema> mentioned = new();
    private readonly string root = v3 ? "#/components/schemas/" : "#/definitions/";

    /// <summary>com.example.v1.Widget for custom kinds.</summary>
    public static string NameOf(ResourceDefinition definition) => definition.Schema?.Root.Model ??
        $"{string.Join('.', definition.Group.Split('.').Reverse())}.{definition.Version}.{definition.Kind}";

    public static JsonObject KindOf(ResourceDefinition definition, string kind) =>
        new() { ["group"] = definition.Group, ["kind"] = kind, ["version"] = definition.Version };

    public void Add(ResourceDefinition definition)
    {
        var name = NameOf(definition);
        var model = definition.BuiltIn && definition.Schema is { } schema ? Body(schema.Root) : Custom(definition);
        model[GroupVersionKind] = new JsonArray(KindOf(definition, definition.Kind));
        models[name] = model;
        models[name + "List"] = new JsonObject
        {
            ["description"] = $"{definition.ListKind} is a list of {definition.Kind}",
            ["type"] = "object",
            ["required"] = new JsonArray("items"),
            ["properties"] = new JsonObject
            {
                ["apiVersion"] = Of(Models.ApiVersion),
                ["items"] = new JsonObject { ["description"] = $"The {definition.Plural}.", ["type"] = "array", ["items"] = Reference(name, "") },
                ["kind"] = Of(Models.KindName),
                ["metadata"] = Of(ListMeta),
            },
            [GroupVersionKind] = new JsonArray(KindOf(definition, definition.ListKind)),
        };
    }

    /// <summary>All models that were added, and all that these mention.</summary>
    public JsonObject All()
    {
        while (mentioned.TryDequeue(out var schema))
        {
            if (!models.ContainsKey(schema.Model!)) models[schema.Model!] = Body(schema);
        }

        return new JsonObject(models.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
    }

    private static Schema ListMeta { get; } = Models.Model(
        "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta",
        "ListMeta is the metadata of a list.",
        ("continue", Models.Text("Ask with this for the next part of the list.")),
        ("remainingItemCount", Models.Int64("How many items are left, if that is known.")),
        ("resourceVersion", Models.Text("The version of the list: watch from here.")),
        ("selfLink", Models.Text("Not used any more.")));

    private JsonObject Of(Schema schema)
    {
        if (schema.Model is null) return Body(schema);
        mentioned.Enqueue(schema);
        return Reference(schema.Model, schema.Description);
    }

    private JsonObject Reference(string model, string description)
    {
        var reference = new JsonObject { ["$ref"] = root + model };
        if (description.Length == 0) return reference;
        // Beside a $ref the third version reads nothing else.
        return v3
            ? new JsonObject { ["description"] = description, ["allOf"] = new JsonArray(reference) }
            : new JsonObject { ["description"] = description, ["$ref"] = root + model };
    }

    private JsonObject Body(Schema schema)
    {
        var body = new JsonObject();
        if (schema.Description.Length > 0) body["description"] = schema.Description;
        // A schema that takes anything, or one of several kinds, has no type.
        if (schema.Type.Length > 0 && !schema.IntOrString) body["type"] = schema.Type;
        if (schema.Format.Length > 0) body["format"] = schema.Format;
        if (schema.IntOrString) body["x-kubernetes-int-or-string"] = true;
        if (schema.Items is { } items) body["items"] = Of(items);
        if (schema.AdditionalProperties is { } values) body["additionalProperties"] = Of(values);
        if (schema.Type == "object" && schema.Properties.Count > 0)
        {
            var properties = new JsonObject();
            foreach (var (name, property) in schema.Properties.OrderBy(pair => pair.Key, StringComparer.Ordinal)) properties[name] = Of(property);
            body["properties"] = properties;
        }

        if (schema.Required.Count > 0) body["required"] = new JsonArray([.. schema.Required.Select(name => (JsonNode)name)]);
        if (schema.PatchStrategy is { } strategy) body["x-kubernetes-patch-strategy"] = strategy;
        if (schema.PatchMergeKey is { } key) body["x-kubernetes-patch-merge-key"] = key;
        if (schema.ListType is { } listType && schema.Type == "array") body["x-kubernetes-list-type"] = listType;
        if (schema.ListMapKeys.Count > 0) body["x-kubernetes-list-map-keys"] = new JsonArray([.. schema.ListMapKeys.Select(name => (JsonNode)name)]);
        if (schema.MapType == "atomic") body["x-kubernetes-map-type"] = "atomic";
        return body;
    }

    private JsonObject Custom(ResourceDefinition definition)
    {
        var source = definition.Schema?.Root.Source;
        var body = source is null
            ? new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true }
            : Convert(source);
        if (definition.Schema?.Root.PreserveUnknownFields == true && !v3) return new JsonObject { ["description"] = body["description"]?.DeepClone(), ["type"] = "object" };
        if (body["properties"] is not JsonObject properties) body["properties"] = properties = [];
        properties["apiVersion"] = Of(Models.ApiVersion);
        properties["kind"] = Of(Models.KindName);
        properties["metadata"] = Of(Models.ObjectMeta);
        return body;
    }

    private JsonObject Convert(JsonObject schema)
    {
        var converted = new JsonObject();
        var anything = schema["x-kubernetes-preserve-unknown-fields"].AsBoolean() == true || schema["x-kubernetes-int-or-string"].AsBoolean() == true;
        foreach (var (name, value) in schema)
        {
            if (!v3 && (OnlyV3.Contains(name, StringComparer.Ordinal) || (name is "type" or "properties" or "required" or "items" or "additionalProperties" && anything))) continue;
            converted[name] = (name, value) switch
            {
                ("properties", JsonObject map) => new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)Convert(pair.Value as JsonObject ?? [])))),
                ("items" or "additionalProperties", JsonObject child) => Convert(child),
                _ => value?.DeepClone(),
            };
        }

        // Null and a type cannot be told apart from the type alone, so a nullable field has none for old clients.
        if (!v3 && schema["nullable"].AsBoolean() == true)
        {
            foreach (var name in (ReadOnlySpan<string>)["type", "properties", "items", "additionalProperties", "required"]) converted.Remove(name);
        }

        if (schema["x-kubernetes-embedded-resource"].AsBoolean() == true && converted["properties"] is JsonObject properties)
        {
            properties["apiVersion"] ??= Of(Models.ApiVersion);
            properties["kind"] ??= Of(Models.KindName);
            properties["metadata"] = Of(Models.ObjectMeta);
        }

        return converted;
    }
}
