using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Patching;

/// <summary>How a place in a document is owned: whole, or field by field, or item by item. Where the schema is silent, maps are by field and lists whole.</summary>
internal readonly record struct FieldShape(Schema? Schema, bool Root = false)
{
    public static FieldShape Of(ResourceDefinition definition) => new(definition.Schema?.Root, Root: true);

    public FieldShape Child(string name)
    {
        if (Root && name == "metadata") return new(ObjectMetadata.Schema);
        if (Schema is null) return default;
        return Schema.Properties.TryGetValue(name, out var property) ? new(property) : new(Schema.AdditionalProperties);
    }

    public FieldShape Item => new(Schema?.Items);

    /// <summary>A field that the schema names; entries of a map are members of a set themselves, named fields are not.</summary>
    public bool Declares(string name) => (Root && name is "apiVersion" or "kind" or "metadata") || Schema?.Properties.ContainsKey(name) == true;

    /// <summary>Neither the name nor anything else is allowed there.</summary>
    public bool Forbids(string name) =>
        Schema is { Type: "object", PreserveUnknownFields: false, EmbeddedResource: false, AdditionalProperties: null, AdditionalPropertiesAllowed: null } && !Declares(name);

    public bool IsWhole(JsonNode? value) => value switch
    {
        JsonObject => Schema?.MapType == "atomic",
        JsonArray => Schema?.ListType is not ("set" or "map"),
        _ => true,
    };

    public bool IsKeyed => Schema?.ListType == "map";

    /// <summary>The step that names an item of a set or a list-map.</summary>
    /// <exception cref="PatchException">An item without its keys.</exception>
    public string Step(JsonNode? item)
    {
        if (!IsKeyed) return FieldSet.Item(item);
        if (item is not JsonObject map) throw new PatchException(400, "associative list with keys may not have non-map elements");
        var keys = new JsonObject();
        foreach (var key in Schema!.ListMapKeys)
        {
            var value = map[key] ?? Schema.Items?.Properties.GetValueOrDefault(key)?.Default;
            if (value is null && Schema.ListMapKeys.Count == 1)
                throw new PatchException(400, $"associative list with keys has an element that omits key field \"{key}\" (and doesn't have default value)");
            if (value is not null) keys[key] = value.DeepClone();
        }

        return FieldSet.Keys(keys);
    }
}
