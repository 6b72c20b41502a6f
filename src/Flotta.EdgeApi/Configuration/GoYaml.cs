using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Flotta.EdgeApi.Configuration;

/// <summary>
/// Writes JSON as the YAML that Go programs of Kubernetes write: keys in order, lists not indented, quotes only where a plain scalar would be read as something else.
/// Agents compare this text to find out what changed, so it must not depend on anything but the content.
/// </summary>
internal static class GoYaml
{
    private const RegexOptions Linear = RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant;

    private static readonly Regex Words = new("^(~|null|Null|NULL|true|True|TRUE|false|False|FALSE|y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF|<<|=)$", Linear);

    private static readonly Regex Numbers = new(
        @"^([-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?0[xX][0-9a-fA-F_]+|[-+]?0[oO]?[0-7_]+|[-+]?0[bB][01_]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$",
        Linear);

    private static readonly Regex Dates = new("^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?$", Linear);

    public static string Write(JsonElement value)
    {
        var text = new StringBuilder();
        if (value.ValueKind == JsonValueKind.Object && value.EnumerateObject().Any())
            Mapping(text, value, 0, startsLine: true);
        else
            Leaf(text, value, 0);
        return text.ToString();
    }

    private static void Mapping(StringBuilder text, JsonElement mapping, int indent, bool startsLine)
    {
        foreach (var (key, value) in mapping.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal).Select(member => (member.Name, member.Value)))
        {
            if (startsLine)
                text.Append(' ', indent);
            startsLine = true;
            Scalar(text, key, indent, isKey: true);
            text.Append(':');
            Value(text, value, indent);
        }
    }

    private static void Value(StringBuilder text, JsonElement value, int indent)
    {
        if (value.ValueKind == JsonValueKind.Object && value.EnumerateObject().Any())
        {
            text.Append('\n');
            Mapping(text, value, indent + 2, startsLine: true);
        }
        else if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0)
        {
            text.Append('\n');
            Sequence(text, value, indent, startsLine: true);
        }
        else
        {
            text.Append(' ');
            Leaf(text, value, indent);
        }
    }

    private static void Sequence(StringBuilder text, JsonElement sequence, int indent, bool startsLine)
    {
        foreach (var item in sequence.EnumerateArray())
        {
            if (startsLine)
                text.Append(' ', indent);
            startsLine = true;
            text.Append("- ");
            if (item.ValueKind == JsonValueKind.Object && item.EnumerateObject().Any())
                Mapping(text, item, indent + 2, startsLine: false);
            else if (item.ValueKind == JsonValueKind.Array && item.GetArrayLength() > 0)
                Sequence(text, item, indent + 2, startsLine: false);
            else
                Leaf(text, item, indent);
        }
    }

    private static void Leaf(StringBuilder text, JsonElement value, int indent)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                Scalar(text, value.GetString()!, indent, isKey: false);
                break;
            case JsonValueKind.Object:
                text.Append("{}");
                break;
            case JsonValueKind.Array:
                text.Append("[]");
                break;
            default:
                text.Append(value.GetRawText());
                break;
        }

        if (text[^1] != '\n')
            text.Append('\n');
    }

    private static void Scalar(StringBuilder text, string value, int indent, bool isKey)
    {
        if (value.Contains('\n', StringComparison.Ordinal) && !isKey && IsPrintable(value) && !value.StartsWith(' ') && !value.StartsWith('\n'))
            Literal(text, value, indent + 2);
        else if (!IsPrintable(value) || value.Contains('\n', StringComparison.Ordinal) || LooksLikeSomethingElse(value))
            DoubleQuoted(text, value);
        else if (IsPlain(value))
            text.Append(value);
        else
            text.Append('\'').Append(value.Replace("'", "''", StringComparison.Ordinal)).Append('\'');
    }

    private static void Literal(StringBuilder text, string value, int indent)
    {
        text.Append('|');
        if (!value.EndsWith('\n'))
            text.Append('-');
        else if (value.EndsWith("\n\n", StringComparison.Ordinal))
            text.Append('+');
        text.Append('\n');
        foreach (var line in (value.EndsWith('\n') ? value[..^1] : value).Split('\n'))
        {
            if (line.Length > 0)
                text.Append(' ', indent).Append(line);
            text.Append('\n');
        }
    }

    private static void DoubleQuoted(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var rune in value.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < 0x20 or 0x7f => text.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:X2}"),
                0x85 or 0xa0 or 0x2028 or 0x2029 or 0xfeff => text.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}"),
                >= 0x80 and < 0xa0 => text.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:X2}"),
                _ => text.Append(rune.ToString()),
            };
        }

        text.Append('"');
    }

    private static bool IsPrintable(string value)
    {
        foreach (var rune in value.EnumerateRunes())
        {
            if (rune.Value is < 0x20 and not '\n' or 0x7f or (>= 0x80 and < 0xa0) or 0xa0 or 0x2028 or 0x2029 or 0xfeff)
                return false;
        }

        return true;
    }

    // What a YAML 1.1 reader would take for a number, a truth, a date or nothing.
    private static bool LooksLikeSomethingElse(string value) => value.Length == 0 || Words.IsMatch(value) || Numbers.IsMatch(value) || Dates.IsMatch(value);

    private static bool IsPlain(string value)
    {
        if (value is "---" or "..." || value.StartsWith("--- ", StringComparison.Ordinal) || char.IsWhiteSpace(value[0]) || char.IsWhiteSpace(value[^1]))
            return false;
        if (",[]{}#&*!|>'\"%@`".Contains(value[0], StringComparison.Ordinal))
            return false;
        if ("-?:".Contains(value[0], StringComparison.Ordinal) && (value.Length == 1 || value[1] == ' '))
            return false;
        return !value.Contains(": ", StringComparison.Ordinal) && !value.EndsWith(':') && !value.Contains(" #", StringComparison.Ordinal);
    }
}
