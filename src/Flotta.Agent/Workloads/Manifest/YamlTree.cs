using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Flotta.Agent.Workloads;

/// <summary>
/// One YAML document as a JSON tree, bounded in size, depth and number of nodes. Kubernetes writes neither anchors nor tags,
/// so both are refused: that is what YAML bombs are made of.
/// </summary>
internal static class YamlTree
{
    public const int MaxBytes = 1 << 20;
    private const int MaxDepth = 40;
    private const int MaxNodes = 50_000;

    /// <param name="what">How messages call the document, such as "specification".</param>
    public static JsonObject Read(string text, string what)
    {
        if (text.Length > MaxBytes)
            throw new ManifestException($"the {what} is larger than {MaxBytes >> 10} KiB");
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
                throw new ManifestException($"the {what} is empty");
            parser.Consume<DocumentStart>();
            var left = MaxNodes;
            var tree = Node(parser, 0, ref left) as JsonObject ?? throw new ManifestException($"the {what} is not a map");
            parser.Consume<DocumentEnd>();
            return parser.Accept<StreamEnd>(out _) ? tree : throw new ManifestException($"the {what} has more than one document");
        }
        catch (YamlException exception)
        {
            throw new ManifestException($"the {what} is not valid YAML (line {exception.Start.Line.ToString(CultureInfo.InvariantCulture)}): {exception.Message}");
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            // YamlDotNet's scanner meets some texts with an exception that is not its own.
            throw new ManifestException($"the {what} is not valid YAML");
        }
        catch (ManifestException exception) when (exception.Message.StartsWith('*'))
        {
            throw new ManifestException($"the {what} {exception.Message[1..]}");
        }
    }

    private static JsonNode? Node(Parser parser, int depth, ref int left)
    {
        if (depth > MaxDepth)
            throw new ManifestException($"*is nested deeper than {MaxDepth} levels");
        if (--left < 0)
            throw new ManifestException($"*has more than {MaxNodes} nodes");
        switch (parser.Current)
        {
            case NodeEvent { Anchor.IsEmpty: false }:
            case AnchorAlias:
                throw new ManifestException("*uses anchors or aliases, which are not accepted");
            case Scalar scalar:
                parser.MoveNext();
                return Value(scalar);
            case MappingStart:
                return Map(parser, depth, ref left);
            case SequenceStart:
                return List(parser, depth, ref left);
            default:
                throw new ManifestException("*ends too early");
        }
    }

    private static JsonObject Map(Parser parser, int depth, ref int left)
    {
        parser.Consume<MappingStart>();
        var map = new JsonObject();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (parser.Current is not Scalar { Anchor.IsEmpty: true } key)
                throw new ManifestException("*has a key that is not a plain word");
            parser.MoveNext();
            var value = Node(parser, depth + 1, ref left);
            if (!map.TryAdd(key.Value, value))
                throw new ManifestException($"*has the key {key.Value} twice");
        }
        return map;
    }

    private static JsonArray List(Parser parser, int depth, ref int left)
    {
        parser.Consume<SequenceStart>();
        var list = new JsonArray();
        while (!parser.TryConsume<SequenceEnd>(out _))
            list.Add(Node(parser, depth + 1, ref left));
        return list;
    }

    private static JsonNode? Value(Scalar scalar)
    {
        if (scalar.Style != ScalarStyle.Plain)
            return JsonValue.Create(scalar.Value);
        switch (scalar.Value)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "true" or "True" or "TRUE":
                return JsonValue.Create(true);
            case "false" or "False" or "FALSE":
                return JsonValue.Create(false);
        }
        // What is a number in JSON is one here, kept as it was written; every other plain word is text.
        return scalar.Value[0] is '-' or (>= '0' and <= '9') && Number(scalar.Value) is { } number ? number : JsonValue.Create(scalar.Value);
    }

    private static JsonNode? Number(string text)
    {
        try
        {
            var node = JsonNode.Parse(text);
            return node?.GetValueKind() == JsonValueKind.Number ? node : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
