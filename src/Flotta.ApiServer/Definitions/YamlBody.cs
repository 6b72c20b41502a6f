using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Flotta.ApiServer.Definitions;

/// <summary>One YAML document as JSON. Anchors and aliases are refused: they make small bodies large.</summary>
internal static partial class YamlBody
{
    public static ObjectBody Parse(ReadOnlySpan<byte> utf8, int maxDepth)
    {
        // Most clients send JSON where YAML may be sent, and that is read faster and exactly.
        if (utf8.TrimStart(" \t\r\n"u8) is [(byte)'{', ..] && ObjectBody.ParseJson(utf8) is { Problem: null } json) return json;
        var duplicates = new List<string>();
        try
        {
            var parser = new Parser(new StringReader(Encoding.UTF8.GetString(utf8)));
            parser.Consume<StreamStart>();
            if (parser.TryConsume<StreamEnd>(out _)) return new ObjectBody(null, duplicates, null);
            parser.Consume<DocumentStart>();
            var root = Read(parser, "", maxDepth, duplicates);
            parser.Consume<DocumentEnd>();
            return parser.TryConsume<StreamEnd>(out _) ? new ObjectBody(root, duplicates, null) : ObjectBody.Refuse("error converting YAML to JSON: more than one document");
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException)
        {
            // YamlDotNet's scanner meets some bytes with an exception that is not its own.
            return ObjectBody.Refuse("error converting YAML to JSON: yaml: the document cannot be read");
        }
        catch (YamlException fault)
        {
            return ObjectBody.Refuse($"error converting YAML to JSON: yaml: line {fault.Start.Line}: {fault.Message}");
        }
    }

    private static JsonNode? Read(IParser parser, string path, int depth, List<string> duplicates)
    {
        if (depth == 0) throw new YamlException("exceeded max depth");
        if (parser.TryConsume<MappingStart>(out _))
        {
            var map = new JsonObject();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                if (!parser.TryConsume<Scalar>(out var key)) throw new YamlException("a key must be a plain value");
                var child = FieldPath.Child(path, key.Value);
                if (map.ContainsKey(key.Value)) duplicates.Add($"duplicate field {GoText.Quote(child)}");
                map[key.Value] = Read(parser, child, depth - 1, duplicates);
            }

            return map;
        }

        if (parser.TryConsume<SequenceStart>(out _))
        {
            var list = new JsonArray();
            while (!parser.TryConsume<SequenceEnd>(out _)) list.Add(Read(parser, $"{path}[{list.Count}]", depth - 1, duplicates));
            return list;
        }

        if (parser.TryConsume<Scalar>(out var scalar)) return Value(scalar);
        throw new YamlException("aliases are not supported");
    }

    private static JsonNode? Value(Scalar scalar)
    {
        if (scalar.Style != ScalarStyle.Plain || scalar.Tag == "tag:yaml.org,2002:str") return JsonValue.Create(scalar.Value);
        var text = scalar.Value;
        if (text is "" or "~" or "null" or "Null" or "NULL") return null;
        // The words of YAML 1.1, as the real server reads them.
        if (text is "true" or "True" or "TRUE" or "y" or "Y" or "yes" or "Yes" or "YES" or "on" or "On" or "ON") return JsonValue.Create(true);
        if (text is "false" or "False" or "FALSE" or "n" or "N" or "no" or "No" or "NO" or "off" or "Off" or "OFF") return JsonValue.Create(false);
        if (Integer().IsMatch(text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)) return JsonValue.Create(integer);
        if (text.StartsWith("0x", StringComparison.Ordinal) && long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex))
            return JsonValue.Create(hex);
        if (Real().IsMatch(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            return JsonValue.Create(number);
        return JsonValue.Create(text);
    }

    [GeneratedRegex(@"^[-+]?(0|[1-9][0-9]*)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Integer();

    [GeneratedRegex(@"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Real();
}
