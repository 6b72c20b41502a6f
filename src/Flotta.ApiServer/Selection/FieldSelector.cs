using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Selection;

/// <summary>`metadata.name=x,type!=y`.</summary>
internal sealed class FieldSelector
{
    private readonly FieldRequirement[] requirements;

    private FieldSelector(FieldRequirement[] requirements)
    {
        this.requirements = requirements;
        OnlyNames = requirements.All(each => each.Field is "metadata.name" or "metadata.namespace");
    }

    public static FieldSelector Everything { get; } = new([]);

    public bool IsEverything => requirements.Length == 0;

    /// <summary>Only metadata.name and metadata.namespace are asked for, so the object need not be parsed.</summary>
    public bool OnlyNames { get; }

    /// <summary>The value that metadata.name (or another field) must have for anything to match, null when there is none: one object is read instead of a list.</summary>
    public string? Exact(string field) => requirements.FirstOrDefault(each => each.Equal && each.Field == field)?.Value;

    /// <param name="text">As the client sent it.</param>
    /// <param name="selectable">What is allowed besides metadata.name and metadata.namespace; others are refused: `field label not supported: spec.x`.
    /// An entry may be `label:path` where the path differs from the label.</param>
    /// <exception cref="SelectorException"></exception>
    public static FieldSelector Parse(string? text, IReadOnlyList<string> selectable)
    {
        if (string.IsNullOrEmpty(text)) return Everything;
        var terms = new List<FieldRequirement>();
        foreach (var term in Split(text))
        {
            if (term.Length == 0) continue;
            terms.Add(Term(term, selectable));
        }

        return terms.Count == 0 ? Everything : new FieldSelector([.. terms]);
    }

    /// <summary>The value that metadata.name must have for anything to match, whatever else is asked for; empty when there is none.</summary>
    /// <exception cref="SelectorException"></exception>
    public static string NameIn(string text)
    {
        const string Name = "metadata.name=";
        var term = Split(text).FirstOrDefault(one => one.StartsWith(Name, StringComparison.Ordinal));
        return term is null ? "" : Unescape(term[Name.Length..] is ['=', .. var rest] ? rest : term[Name.Length..]);
    }

    /// <summary>The object may be left out when OnlyNames.</summary>
    public bool Matches(string name, string? @namespace, Func<JsonObject> value)
    {
        JsonObject? item = null;
        foreach (var requirement in requirements)
        {
            var actual = requirement.Field switch
            {
                "metadata.name" => name,
                "metadata.namespace" => @namespace ?? "",
                _ => Text((item ??= value()).At(requirement.Path)),
            };
            if (actual == requirement.Value != requirement.Equal) return false;
        }

        return true;
    }

    private static string Text(JsonNode? node) => node switch
    {
        null => "",
        JsonValue when node.AsText() is { } text => text,
        JsonValue when node.AsInteger() is { } number => number.ToString(CultureInfo.InvariantCulture),
        JsonValue => node.ToJsonString(),
        _ => "",
    };

    private static FieldRequirement Term(string term, IReadOnlyList<string> selectable)
    {
        for (var i = 0; i < term.Length; i++)
        {
            var (length, equal) = term.AsSpan(i) switch
            {
                ['!', '=', ..] => (2, false),
                ['=', '=', ..] => (2, true),
                ['=', ..] => (1, true),
                _ => (0, false),
            };
            if (length == 0) continue;
            var field = term[..i];
            var value = Unescape(term[(i + length)..]);
            return new FieldRequirement(field, PathOf(field, selectable), value, equal);
        }

        throw new SelectorException($"invalid selector: '{term}'; can't understand '{term}'");
    }

    private static string[] PathOf(string field, IReadOnlyList<string> selectable)
    {
        if (field is "metadata.name" or "metadata.namespace") return field.Split('.');
        foreach (var entry in selectable)
        {
            var colon = entry.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0 ? entry == field : entry.AsSpan(0, colon).SequenceEqual(field)) return entry[(colon + 1)..].Split('.');
        }

        throw new SelectorException("field label not supported: " + field) { UnknownField = field };
    }

    // A backslash takes the meaning from a comma, an equals sign or a backslash.
    private static IEnumerable<string> Split(string text)
    {
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == ',')
            {
                yield return text[start..i];
                start = i + 1;
            }
        }

        yield return text[start..];
    }

    private static string Unescape(string value)
    {
        if (!value.AsSpan().ContainsAny('\\', ',', '=')) return value;
        var plain = new StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] is ',' or '=') throw new SelectorException($"invalid field selector: unescaped character in value: {(int)value[i]}");
            if (value[i] == '\\')
            {
                if (i + 1 == value.Length || value[i + 1] is not ('\\' or ',' or '='))
                    throw new SelectorException("invalid field selector: invalid escape sequence: " + value[i..Math.Min(i + 2, value.Length)]);
                i++;
            }

            plain.Append(value[i]);
        }

        return plain.ToString();
    }

    private sealed record FieldRequirement(string Field, string[] Path, string Value, bool Equal);
}
