using System.Text;
using System.Text.RegularExpressions;

namespace Flotta.ApiServer.Definitions;

/// <summary>Patterns are written for RE2, which takes linear time; so do ours, with the few differences of syntax put right.</summary>
internal static class GoRegex
{
    private const int MaxLength = 64 * 1024;

    /// <summary>Null, with what is wrong, when it is no regular expression.</summary>
    public static Regex? Compile(string pattern, out string? problem)
    {
        problem = null;
        if (pattern.Length > MaxLength)
        {
            problem = "expression too large";
            return null;
        }

        try
        {
            return new Regex(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (ArgumentException fault)
        {
            problem = fault.Message;
        }
        catch (NotSupportedException fault)
        {
            // Look-around and back references: RE2 has none either.
            problem = fault.Message;
        }

        return null;
    }

    // RE2's $ is the very end, \d \w \s are ASCII, named groups are (?P<n>…), and classes may be [[:alpha:]].
    private static string Translate(string pattern)
    {
        var text = new StringBuilder(pattern.Length + 16);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var rest = pattern.AsSpan(i);
            if (pattern[i] == '\\' && i + 1 < pattern.Length)
            {
                text.Append(Escape(pattern[++i], inClass));
            }
            else if (inClass && rest.StartsWith("[:") && PosixClass(rest, out var members, out var length))
            {
                text.Append(members);
                i += length - 1;
            }
            else if (inClass && pattern[i] == '[')
            {
                text.Append("\\[");
            }
            else if (!inClass && pattern[i] == '[')
            {
                inClass = true;
                text.Append('[');
                if (i + 1 < pattern.Length && pattern[i + 1] == '^') text.Append(pattern[++i]);
                // A ] that comes first stands for itself.
                if (i + 1 < pattern.Length && pattern[i + 1] == ']')
                {
                    text.Append("\\]");
                    i++;
                }
            }
            else if (inClass && pattern[i] == ']')
            {
                inClass = false;
                text.Append(']');
            }
            else if (!inClass && pattern[i] == '$')
            {
                text.Append("\\z");
            }
            else if (!inClass && rest.StartsWith("(?P<"))
            {
                text.Append("(?<");
                i += 3;
            }
            else
            {
                text.Append(pattern[i]);
            }
        }

        return text.ToString();
    }

    private static string Escape(char letter, bool inClass) => letter switch
    {
        'd' => inClass ? "0-9" : "[0-9]",
        'w' => inClass ? "0-9A-Za-z_" : "[0-9A-Za-z_]",
        's' => inClass ? "\\t\\n\\f\\r " : "[\\t\\n\\f\\r ]",
        'D' when !inClass => "[^0-9]",
        'W' when !inClass => "[^0-9A-Za-z_]",
        'S' when !inClass => "[^\\t\\n\\f\\r ]",
        _ => "\\" + letter,
    };

    private static bool PosixClass(ReadOnlySpan<char> rest, out string members, out int length)
    {
        var end = rest.IndexOf(":]");
        length = end + 2;
        members = end < 0
            ? ""
            : rest[2..end] switch
            {
                "alnum" => "0-9A-Za-z",
                "alpha" => "A-Za-z",
                "digit" => "0-9",
                "lower" => "a-z",
                "upper" => "A-Z",
                "space" => "\\t\\n\\v\\f\\r ",
                "word" => "0-9A-Za-z_",
                "xdigit" => "0-9A-Fa-f",
                "punct" => "!-/:-@\\[-`{-~",
                _ => "",
            };
        return members.Length > 0;
    }
}
