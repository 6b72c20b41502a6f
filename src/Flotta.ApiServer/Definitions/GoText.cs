using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>Values as Go prints them in messages, so that ours read the same as a real server's.</summary>
internal static class GoText
{
    /// <summary>Like strconv.Quote.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var rune in text.EnumerateRunes())
            _ = rune.Value switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\a' => quoted.Append("\\a"),
                '\b' => quoted.Append("\\b"),
                '\f' => quoted.Append("\\f"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                '\v' => quoted.Append("\\v"),
                < 0x20 or 0x7f => quoted.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}"),
                _ => quoted.Append(rune.ToString()),
            };
        return quoted.Append('"').ToString();
    }

    /// <summary>Like %q of a slice: `["a" "b"]`.</summary>
    public static string QuoteAll(IEnumerable<string> texts) => "[" + string.Join(' ', texts.Select(Quote)) + "]";

    /// <summary>The value of a field as field.Error prints it: strings quoted, numbers and booleans bare, the rest in Go's syntax (%#v).</summary>
    public static string Value(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject map => "map[string]interface {}{" +
                          string.Join(", ", map.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => Quote(pair.Key) + ":" + Nested(pair.Value))) + "}",
        JsonArray list => "[]interface {}{" + string.Join(", ", list.Select(Nested)) + "}",
        _ when value.AsText() is { } text => Quote(text),
        _ => Scalar(value),
    };

    /// <summary>%v of a number: the shortest form.</summary>
    public static string Number(double number) =>
        Math.Abs(number) < 1e21 && number == Math.Floor(number) ? number.ToString("F0", CultureInfo.InvariantCulture) : number.ToString("R", CultureInfo.InvariantCulture);

    private static string Nested(JsonNode? value) => value is null ? "interface {}(nil)" : Value(value);

    private static string Scalar(JsonNode value) => value.AsInteger() is { } integer
        ? integer.ToString(CultureInfo.InvariantCulture)
        : value.AsNumber() is { } number
            ? Number(number)
            : value.ToJsonString();
}
