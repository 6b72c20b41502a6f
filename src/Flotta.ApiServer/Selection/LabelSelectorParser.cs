using System.Globalization;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Selection;

/// <summary>The grammar of label selectors, with the complaints of the real parser.</summary>
internal sealed class LabelSelectorParser
{
    private const string Comma = "','";
    private readonly List<string> tokens = [];
    private int position;

    public LabelSelectorParser(string text) => Tokenise(text);

    private string Current => position < tokens.Count ? tokens[position] : "";

    private bool AtEnd => position >= tokens.Count;

    public IEnumerable<LabelRequirement> Parse()
    {
        while (true)
        {
            if (AtEnd) yield break;
            if (!IsWord(Current) && Current != "!") throw new SelectorException($"found '{Current}', expected: !, identifier, or 'end of string'");
            yield return Requirement();
            if (AtEnd) yield break;
            if (Current != ",") throw new SelectorException($"found '{Current}', expected: {Comma} or 'end of string'");
            position++;
            if (AtEnd || (!IsWord(Current) && Current != "!")) throw new SelectorException($"found '{Current}', expected: identifier after ','");
        }
    }

    private LabelRequirement Requirement()
    {
        var negated = Current == "!";
        if (negated) position++;
        if (AtEnd || !IsWord(Current)) throw Unable($"found '{Current}', expected: identifier");
        var key = tokens[position++];
        if (ObjectNames.CheckQualifiedName(key).FirstOrDefault() is { } wrong) throw Unable($"invalid label key {GoText.Quote(key)}: {wrong}");
        if (negated) return new LabelRequirement(key, LabelOperator.NotExists, Set());
        if (AtEnd || Current == ",") return new LabelRequirement(key, LabelOperator.Exists, Set());
        var sign = tokens[position++];
        return sign switch
        {
            "=" or "==" => Checked(key, LabelOperator.In, [ExactValue()]),
            "!=" => Checked(key, LabelOperator.NotIn, [ExactValue()]),
            "in" => Checked(key, LabelOperator.In, ValueList()),
            "notin" => Checked(key, LabelOperator.NotIn, ValueList()),
            ">" => Numeric(key, LabelOperator.GreaterThan),
            "<" => Numeric(key, LabelOperator.LessThan),
            _ => throw Unable($"found '{sign}', expected: '=', '!=', '==', 'in', notin'"),
        };
    }

    private LabelRequirement Numeric(string key, LabelOperator comparison)
    {
        var value = ExactValue();
        if (!long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
            throw Unable("for 'Gt', 'Lt' operators, the value must be an integer");
        return Checked(key, comparison, [value]);
    }

    // Nothing after the sign asks for the empty value.
    private string ExactValue()
    {
        if (AtEnd || Current == ",") return "";
        if (!IsWord(Current)) throw Unable($"found '{Current}', expected: identifier");
        return tokens[position++];
    }

    private List<string> ValueList()
    {
        if (Current != "(") throw Unable($"found '{Current}' expected: '('");
        position++;
        var values = new List<string>();
        var expectValue = true;
        while (Current != ")")
        {
            if (AtEnd) throw Unable($"found '', expected: {Comma} or ')'");
            if (Current == ",")
            {
                if (expectValue) values.Add("");
                expectValue = true;
            }
            else if (IsWord(Current) && expectValue)
            {
                values.Add(Current);
                expectValue = false;
            }
            else
            {
                throw Unable($"found '{Current}', expected: {Comma} or ')'");
            }

            position++;
        }

        position++;
        if (expectValue) values.Add("");
        return values;
    }

    private static LabelRequirement Checked(string key, LabelOperator comparison, IEnumerable<string> values)
    {
        var set = values.ToHashSet(StringComparer.Ordinal);
        foreach (var value in set)
        {
            if (ObjectNames.CheckLabelValue(value).FirstOrDefault() is { } wrong)
                throw Unable($"invalid label value: {GoText.Quote(value)}: at key: {GoText.Quote(key)}: {wrong}");
        }

        return new LabelRequirement(key, comparison, set);
    }

    private static SelectorException Unable(string why) => new("unable to parse requirement: " + why);

    private static HashSet<string> Set() => [];

    private static bool IsWord(string token) => token.Length > 0 && !IsSpecial(token[0]);

    private static bool IsSpecial(char letter) => letter is '=' or '!' or '(' or ')' or ',' or '>' or '<';

    private void Tokenise(string text)
    {
        var i = 0;
        while (i < text.Length)
        {
            if (char.IsWhiteSpace(text[i]))
            {
                i++;
                continue;
            }

            var start = i;
            if (IsSpecial(text[i])) i += text.AsSpan(i) is ['=' or '!', '=', ..] ? 2 : 1;
            else
                while (i < text.Length && !IsSpecial(text[i]) && !char.IsWhiteSpace(text[i])) i++;
            tokens.Add(text[start..i]);
        }
    }
}
