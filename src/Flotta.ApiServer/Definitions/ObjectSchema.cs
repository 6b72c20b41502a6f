using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>The schema of whole objects, compiled once. All functions are pure but for the object that they are given to change.</summary>
internal sealed class ObjectSchema(Schema root)
{
    public Schema Root { get; } = root;

    // Built-in kinds: wrong types are refused while decoding, and the rest is the kind's own Check.
    private bool Typed => Root.Model is not null;

    public static ObjectSchema Of(JsonObject openApiV3Schema) => new(SchemaReader.Read(openApiV3Schema));

    /// <summary>Removes what the schema does not know, in place (apiVersion, kind and the known fields of metadata stay at the root and at embedded resources).</summary>
    /// <returns>The paths removed, as in the server's warning: `spec.foo`, `spec.items[0].bar`.</returns>
    public IReadOnlyList<string> Prune(JsonObject value)
    {
        var removed = new List<string>();
        Pruning.Prune(value, Root, root: true, "", removed);
        return removed;
    }

    /// <summary>Fills in defaults, in place. Nulls go where the schema does not allow them.</summary>
    public void Default(JsonObject value)
    {
        Decoding.DropNulls(Typed ? value : value["metadata"], Typed ? Root : ObjectMetadata.Schema);
        DropEmpty(value["metadata"] as JsonObject);
        Defaulting.Default(value, Root);
    }

    // metadata goes through a typed decoder for every kind, which does not write what is empty.
    private static void DropEmpty(JsonObject? metadata)
    {
        if (metadata is null) return;
        foreach (var name in (ReadOnlySpan<string>)["labels", "annotations", "finalizers", "ownerReferences", "managedFields"])
        {
            if (metadata[name] is JsonObject { Count: 0 } or JsonArray { Count: 0 }) metadata.Remove(name);
        }
    }

    /// <summary>All that is wrong with the object (metadata is not looked at, but for what the schema itself says of its name), in the real server's words.</summary>
    public IReadOnlyList<FieldError> Validate(JsonObject value, JsonObject? old)
    {
        _ = old; // Transition rules are CEL's, which is refused.
        if (Typed) return [];
        var errors = new List<FieldError>();
        SchemaValidation.Validate(value, Root, "", errors);
        EmbeddedResources.Check(value, Root, "", errors);
        ListTypes.Check(value, Root, "", errors);
        return errors;
    }
}
