using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Patching;

/// <summary>Each gives a new document and leaves its arguments as they are.</summary>
internal static class JsonPatch
{
    /// <exception cref="PatchException">The patch is malformed (400) or does not apply (422).</exception>
    public static JsonNode Apply(JsonNode document, JsonNode patch) => throw new NotSupportedException("not built yet");
}

internal static class MergePatch
{
    public static JsonNode? Apply(JsonNode? document, JsonNode? patch) => throw new NotSupportedException("not built yet");
}

internal static class StrategicMergePatch
{
    public static JsonObject Apply(JsonObject document, JsonObject patch, ResourceDefinition definition) => throw new NotSupportedException("not built yet");
}

/// <summary>The message is the server's sentence, Code is 400 or 422.</summary>
internal sealed class PatchException(int code, string message) : Exception(message)
{
    public int Code { get; } = code;
}
