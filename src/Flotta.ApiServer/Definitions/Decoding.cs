using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>What a typed decoder would refuse with 400 before any validation.</summary>
internal static class Decoding
{
    /// <summary>The message of a 400, or null: wrong types in metadata (any kind) and, for built-in kinds, anywhere. Call it before pruning.</summary>
    public static string? Problem(ResourceDefinition definition, JsonObject value) => throw new NotSupportedException("not built yet");

    /// <summary>The message of the 400 of fieldValidation=Strict. The parts are `unknown field "spec.x"` and `duplicate field "spec.x"`, as in warnings.</summary>
    public static string StrictMessage(ResourceDefinition definition, IEnumerable<string> parts) =>
        $"{definition.Kind} in version \"{definition.Version}\" cannot be handled as a {definition.Kind}: strict decoding error: {string.Join(", ", parts)}";
}
