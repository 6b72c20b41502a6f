using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>A request body read as JSON or YAML: the last of duplicate keys counts, and the duplicates are told.</summary>
/// <param name="Duplicates">Ready for a strict error or warnings: `duplicate field "spec.x"`.</param>
/// <param name="Problem">Not null: the body is no such document (or too deep); answer 400 with this.</param>
internal sealed record ObjectBody(JsonNode? Root, IReadOnlyList<string> Duplicates, string? Problem)
{
    // Far deeper than any manifest; what recurses over documents stays clear of the end of the stack.
    private const int MaxDepth = 128;

    public static ObjectBody ParseJson(ReadOnlySpan<byte> utf8)
    {
        var duplicates = new List<string>();
        try
        {
            var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
            if (!reader.Read()) return Refuse("unexpected end of JSON input");
            var root = ReadValue(ref reader, "", duplicates);
            return reader.Read() ? Refuse("invalid character after top-level value") : new ObjectBody(root, duplicates, null);
        }
        catch (JsonException fault)
        {
            return Refuse(Sentence(fault, utf8));
        }
        catch (InvalidOperationException)
        {
            // Text that is not UTF-8, or half a surrogate pair.
            return Refuse("invalid UTF-8 in string");
        }
    }

    public static ObjectBody ParseYaml(ReadOnlySpan<byte> utf8) => YamlBody.Parse(utf8, MaxDepth);

    internal static ObjectBody Refuse(string problem) => new(null, [], problem);

    private static JsonNode? ReadValue(ref Utf8JsonReader reader, string path, List<string> duplicates) => reader.TokenType switch
    {
        JsonTokenType.StartObject => ReadMap(ref reader, path, duplicates),
        JsonTokenType.StartArray => ReadList(ref reader, path, duplicates),
        JsonTokenType.String => JsonValue.Create(reader.GetString()),
        JsonTokenType.True => JsonValue.Create(true),
        JsonTokenType.False => JsonValue.Create(false),
        JsonTokenType.Null => null,
        _ => ReadNumber(ref reader),
    };

    private static JsonObject ReadMap(ref Utf8JsonReader reader, string path, List<string> duplicates)
    {
        var map = new JsonObject();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            var child = FieldPath.Child(path, name);
            reader.Read();
            if (map.ContainsKey(name) && duplicates.Count < 64) duplicates.Add($"duplicate field {GoText.Quote(child)}");
            map[name] = ReadValue(ref reader, child, duplicates);
        }

        return map;
    }

    private static JsonArray ReadList(ref Utf8JsonReader reader, string path, List<string> duplicates)
    {
        var list = new JsonArray();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) list.Add(ReadValue(ref reader, $"{path}[{list.Count}]", duplicates));
        return list;
    }

    // Whole numbers are longs and others doubles, as in the real server: 1e3 comes back as 1000.
    private static JsonValue ReadNumber(ref Utf8JsonReader reader)
    {
        if (reader.TryGetInt64(out var integer)) return JsonValue.Create(integer);
        var number = reader.GetDouble();
        return double.IsFinite(number) ? JsonValue.Create(number) : throw new JsonException("number out of range");
    }

    private static string Sentence(JsonException fault, ReadOnlySpan<byte> utf8)
    {
        var trimmed = utf8.TrimEnd(" \t\r\n"u8);
        if (fault.Message.Contains("maximum", StringComparison.Ordinal)) return "exceeded max depth";
        if (fault.Message.Contains("end of data", StringComparison.Ordinal) || fault.Message.Contains("reached end", StringComparison.OrdinalIgnoreCase) ||
            fault.Message.Contains("should be closed", StringComparison.Ordinal) || trimmed.Length == 0)
            return "unexpected end of JSON input";
        return "invalid JSON: " + fault.Message.Split(" LineNumber", StringSplitOptions.None)[0].Split(" Path:", StringSplitOptions.None)[0];
    }
}
