using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>A request body read as JSON or YAML: the last of duplicate keys counts, and the duplicates are told.</summary>
/// <param name="Duplicates">Ready for a strict error or warnings: `duplicate field "spec.x"`.</param>
/// <param name="Problem">Not null: the body is no such document (or too deep); answer 400 with this.</param>
internal sealed record ObjectBody(JsonNode? Root, IReadOnlyList<string> Duplicates, string? Problem)
{
    public static ObjectBody ParseJson(ReadOnlySpan<byte> utf8) => throw new NotSupportedException("not built yet");

    public static ObjectBody ParseYaml(ReadOnlySpan<byte> utf8) => throw new NotSupportedException("not built yet");
}
