using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>A structural schema, compiled once. All functions are pure but for the object that they are given to change.</summary>
internal sealed partial class ObjectSchema
{
    /// <summary>Removes what the schema does not know, in place (apiVersion, kind and metadata stay at the root and at embedded resources).</summary>
    /// <returns>The paths removed, as in the server's warning: `spec.foo`, `spec.items[0].bar`.</returns>
    public IReadOnlyList<string> Prune(JsonObject value) => throw new NotSupportedException("not built yet");

    /// <summary>Fills in defaults, in place.</summary>
    public void Default(JsonObject value) => throw new NotSupportedException("not built yet");

    /// <summary>All that is wrong with the object (metadata is not looked at), in the real server's words.</summary>
    public IReadOnlyList<FieldError> Validate(JsonObject value, JsonObject? old) => throw new NotSupportedException("not built yet");
}
