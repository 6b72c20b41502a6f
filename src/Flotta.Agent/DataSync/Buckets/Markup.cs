using System.Globalization;
using System.Text;

namespace Flotta.Agent.DataSync;

/// <summary>
/// The little XML that S3 answers with: elements, text and character references. Everything else is skipped or, where it could mean something
/// (a document type, with entities of its own), refused. The platform's reader costs the program more than this whole feature.
/// </summary>
internal static class Markup
{
    private const int Deepest = 16;

    /// <summary>Every element that holds text only, with the names of those around it, in the order of the document.</summary>
    /// <exception cref="FormatException">It is no such document.</exception>
    public static IEnumerable<(string Path, string Text)> Leaves(string xml)
    {
        var open = new List<string>();
        var (at, text, leaf) = (0, new StringBuilder(), false);
        while (at < xml.Length)
        {
            var tag = xml.IndexOf('<', at);
            text.Append(xml, at, (tag < 0 ? xml.Length : tag) - at);
            if (tag < 0)
                break;
            var end = xml.IndexOf('>', tag);
            if (end < 0)
                throw new FormatException("a tag has no end");
            var inner = xml.AsSpan(tag + 1, end - tag - 1);
            at = end + 1;
            if (inner.StartsWith("?"))
                continue;
            if (inner.StartsWith("!--"))
            {
                var comment = xml.IndexOf("-->", tag, StringComparison.Ordinal);
                at = comment < 0 ? throw new FormatException("a comment has no end") : comment + 3;
                continue;
            }

            if (inner.StartsWith("!"))
                throw new FormatException("it has a document type or raw text, which is not expected here");
            if (inner.StartsWith("/"))
            {
                if (open.Count == 0 || !inner[1..].Trim().SequenceEqual(open[^1]))
                    throw new FormatException("an element is not closed");
                if (leaf)
                    yield return (string.Join('/', open), Plain(text.ToString()));
                open.RemoveAt(open.Count - 1);
                leaf = false;
                continue;
            }

            var name = NameOf(inner);
            text.Clear();
            if (inner.EndsWith("/"))
            {
                yield return (string.Join('/', open.Append(name)), "");
                leaf = false;
                continue;
            }

            open.Add(name);
            leaf = true;
            if (open.Count > Deepest)
                throw new FormatException("it is too deep");
        }

        if (open.Count > 0)
            throw new FormatException("it ends too early");
    }

    private static string NameOf(ReadOnlySpan<char> tag)
    {
        var end = tag.IndexOfAny(" \t\r\n/");
        return (end < 0 ? tag : tag[..end]).ToString();
    }

    private static string Plain(string text)
    {
        if (!text.Contains('&', StringComparison.Ordinal))
            return text;
        var plain = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '&')
            {
                plain.Append(text[at]);
                continue;
            }

            var end = text.IndexOf(';', at);
            if (end < 0)
                throw new FormatException("a reference has no end");
            plain.Append(Referred(text[(at + 1)..end]));
            at = end;
        }

        return plain.ToString();
    }

    private static string Referred(string name) => name switch
    {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        ['#', 'x', .. var digits] when int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) && Rune.IsValid(code) => new Rune(code).ToString(),
        ['#', .. var digits] when int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && Rune.IsValid(code) => new Rune(code).ToString(),
        _ => throw new FormatException("a reference is unknown"),
    };
}
