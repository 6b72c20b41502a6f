using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>metadata's rules, the same for every kind.</summary>
internal static class ObjectMetadata
{
    /// <summary>All that is wrong with the metadata of a new object (old is null; its name is already generated) or of a changed one, immutable fields included.</summary>
    public static IReadOnlyList<FieldError> Validate(ResourceDefinition definition, JsonObject value, JsonObject? old) =>
        throw new NotSupportedException("not built yet");

    /// <summary>A name for generateName: the prefix, cut where too long, and five random letters.</summary>
    public static string Generate(string prefix) => throw new NotSupportedException("not built yet");
}
