using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Selection;

/// <summary>`a=b,c!=d,e in (f,g),h,!i` compiled once per request.</summary>
internal sealed partial class LabelSelector
{
    public static LabelSelector Everything => throw new NotSupportedException("not built yet");

    public bool IsEverything => throw new NotSupportedException("not built yet");

    /// <exception cref="SelectorException"></exception>
    public static LabelSelector Parse(string? text) => throw new NotSupportedException("not built yet");

    public bool Matches(IReadOnlyDictionary<string, string> labels) => throw new NotSupportedException("not built yet");
}

/// <summary>`metadata.name=x,type!=y`.</summary>
internal sealed partial class FieldSelector
{
    public static FieldSelector Everything => throw new NotSupportedException("not built yet");

    public bool IsEverything => throw new NotSupportedException("not built yet");

    /// <summary>The value that metadata.name (or another field) must have for anything to match, null when there is none: one object is read instead of a list.</summary>
    public string? Exact(string field) => throw new NotSupportedException("not built yet");

    /// <summary>Only metadata.name and metadata.namespace are asked for, so the object need not be parsed.</summary>
    public bool OnlyNames => throw new NotSupportedException("not built yet");

    /// <param name="text">As the client sent it.</param>
    /// <param name="selectable">What is allowed besides metadata.name and metadata.namespace; others are refused: `field label not supported: spec.x`.</param>
    /// <exception cref="SelectorException"></exception>
    public static FieldSelector Parse(string? text, IReadOnlyList<string> selectable) => throw new NotSupportedException("not built yet");

    /// <summary>The object may be left out when OnlyNames.</summary>
    public bool Matches(string name, string? @namespace, Func<JsonObject> value) => throw new NotSupportedException("not built yet");
}

/// <summary>The message is the server's sentence for a 400.</summary>
internal sealed class SelectorException(string message) : Exception(message);
