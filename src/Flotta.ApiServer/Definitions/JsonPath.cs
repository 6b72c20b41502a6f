using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>The JSONPath that printer columns are written in: `.a.b`, `['x/y']`, `[0]`, `[1:3]`, `[*]`, `[?(@.type=="Ready")]`.</summary>
internal sealed class JsonPath
{
    private const int MaxCached = 4096;
    private static readonly ConcurrentDictionary<string, JsonPath?> Compiled = new(StringComparer.Ordinal);
    private readonly List<Func<JsonNode?, IEnumerable<JsonNode?>>> steps = [];

    private JsonPath()
    {
    }

    /// <summary>Null when the path cannot be read.</summary>
    public static JsonPath? Compile(string text)
    {
        if (Compiled.TryGetValue(text, out var known)) return known;
        var path = new JsonPath();
        var position = 0;
        var compiled = path.Read(text, ref position) && position == text.Length ? path : null;
        if (Compiled.Count < MaxCached) Compiled[text] = compiled;
        return compiled;
    }

    /// <summary>Everything that the path leads to, in order; JSON nulls among it.</summary>
    public IEnumerable<JsonNode?> Find(JsonNode? root) =>
        steps.Aggregate((IEnumerable<JsonNode?>)[root], (nodes, step) => nodes.SelectMany(step));

    private bool Read(string text, ref int position)
    {
        while (position < text.Length)
        {
            switch (text[position])
            {
                case '.':
                    position++;
                    if (position < text.Length && text[position] == '[') continue;
                    if (position == text.Length) return true;
                    var name = Name(text, ref position);
                    if (name.Length == 0) return false;
                    if (name == "*") steps.Add(Children);
                    else steps.Add(node => Field(node, name));
                    break;
                case '[':
                    if (!Bracket(text, ref position)) return false;
                    break;
                default:
                    return true;
            }
        }

        return true;
    }

    private static string Name(string text, ref int position)
    {
        var name = new StringBuilder();
        while (position < text.Length && text[position] is not ('.' or '[' or ' ' or '=' or '!' or '<' or '>' or ')'))
        {
            if (text[position] == '\\' && position + 1 < text.Length) position++;
            name.Append(text[position++]);
        }

        return name.ToString();
    }

    private bool Bracket(string text, ref int position)
    {
        var rest = text.AsSpan(position);
        if (rest.StartsWith("[?(")) return Filter(text, ref position);
        if (rest.Length > 1 && rest[1] is '\'' or '"')
        {
            var end = rest[2..].IndexOf(rest[1]);
            if (end < 0 || rest.Length <= end + 3 || rest[end + 3] != ']') return false;
            var name = rest.Slice(2, end).ToString();
            steps.Add(node => Field(node, name));
            position += end + 4;
            return true;
        }

        var close = rest.IndexOf(']');
        if (close < 0) return false;
        var inside = rest[1..close].Trim().ToString();
        position += close + 1;
        if (inside == "*")
        {
            steps.Add(Children);
            return true;
        }

        var parts = inside.Split(':');
        var numbers = parts.Select(part => part.Length == 0 ? null : Number(part)).ToList();
        if (parts.Where((part, i) => part.Length > 0 && numbers[i] is null).Any() || parts.Length > 3 || (parts.Length == 1 && numbers[0] is null)) return false;
        if (parts.Length == 1) steps.Add(node => At(node, (int)numbers[0]!.Value));
        else steps.Add(node => Slice(node, numbers));
        return true;
    }

    private bool Filter(string text, ref int position)
    {
        position += 3;
        while (position < text.Length && text[position] == ' ') position++;
        if (position >= text.Length || text[position] != '@') return false;
        position++;
        var left = new JsonPath();
        if (!left.Read(text, ref position)) return false;
        var end = text.IndexOf(")]", position, StringComparison.Ordinal);
        if (end < 0) return false;
        var condition = text[position..end].Trim();
        position = end + 2;
        if (condition.Length == 0)
        {
            steps.Add(node => Children(node).Where(item => left.Find(item).Any()));
            return true;
        }

        var sign = new[] { "==", "!=", "<=", ">=", "<", ">" }.FirstOrDefault(each => condition.StartsWith(each, StringComparison.Ordinal));
        if (sign is null || Literal(condition[sign.Length..].Trim()) is not { } literal) return false;
        steps.Add(node => Children(node).Where(item => left.Find(item).Any(value => Compare(value, sign, literal))));
        return true;
    }

    private static JsonValue? Literal(string text)
    {
        if (text.Length >= 2 && text[0] is '"' or '\'' && text[^1] == text[0]) return JsonValue.Create(text[1..^1]);
        if (text is "true" or "false") return JsonValue.Create(text == "true");
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? JsonValue.Create(number) : null;
    }

    private static bool Compare(JsonNode? value, string sign, JsonValue literal)
    {
        if (sign is "==" or "!=") return JsonKinds.Same(value, literal) == (sign == "==");
        var order = (value.AsNumber(), literal.AsNumber()) is ({ } one, { } other)
            ? one.CompareTo(other)
            : (value.AsText(), literal.AsText()) is ({ } left, { } right) ? string.CompareOrdinal(left, right) : (int?)null;
        return sign switch
        {
            "<" => order < 0,
            ">" => order > 0,
            "<=" => order <= 0,
            _ => order >= 0,
        };
    }

    private static long? Number(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static IEnumerable<JsonNode?> Field(JsonNode? node, string name) =>
        node is JsonObject map && map.TryGetPropertyValue(name, out var value) ? [value] : [];

    private static IEnumerable<JsonNode?> At(JsonNode? node, int index)
    {
        if (node is not JsonArray list) return [];
        if (index < 0) index += list.Count;
        return index >= 0 && index < list.Count ? [list[index]] : [];
    }

    private static IEnumerable<JsonNode?> Slice(JsonNode? node, List<long?> bounds)
    {
        if (node is not JsonArray list) return [];
        var from = bounds[0] is { } start ? (start < 0 ? start + list.Count : start) : 0;
        var to = bounds[1] is { } end ? (end < 0 ? end + list.Count : end) : list.Count;
        var step = bounds.Count > 2 ? bounds[2] ?? 1 : 1;
        return step <= 0 ? [] : list.Where((_, i) => i >= from && i < to && (i - from) % step == 0);
    }

    private static IEnumerable<JsonNode?> Children(JsonNode? node) => node switch
    {
        JsonArray list => list,
        JsonObject map => map.Select(pair => pair.Value),
        _ => [],
    };
}
