namespace Flotta.Agent.DataSync;

/// <summary>
/// Which files stay where they are. <c>*</c> and <c>?</c> stand for letters of one name, <c>**</c> for anything; a pattern without a slash is for
/// every file and folder of that name, one with a slash for the path below the source. What is in an excluded folder is excluded too.
/// </summary>
internal static class Exclusion
{
    public static bool Excludes(IReadOnlyList<string> patterns, string path)
    {
        foreach (var pattern in patterns)
        {
            var trimmed = pattern.Trim('/');
            if (trimmed.Length is 0 or > 256)
                continue;
            if (!trimmed.Contains('/', StringComparison.Ordinal) ? path.Split('/').Any(name => Matches(trimmed, name)) : Beginnings(path).Any(beginning => Matches(trimmed, beginning)))
                return true;
        }

        return false;
    }

    private static IEnumerable<string> Beginnings(string path)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
            yield return path[..slash];
        yield return path;
    }

    // From the ends to the beginnings, each pair once: no pattern takes longer than its length times the path's.
    private static bool Matches(string pattern, string text)
    {
        var rest = new bool[pattern.Length + 1, text.Length + 1];
        rest[pattern.Length, text.Length] = true;
        for (var p = pattern.Length - 1; p >= 0; p--)
        {
            var across = pattern[p] == '*' && p + 1 < pattern.Length && pattern[p + 1] == '*';
            var after = across ? p + 2 : p + 1;
            // "**/" is also no folder at all.
            var none = across && after < pattern.Length && pattern[after] == '/';
            for (var t = text.Length; t >= 0; t--)
            {
                rest[p, t] = pattern[p] == '*'
                    ? rest[after, t] || (none && rest[after + 1, t]) || (t < text.Length && (across || text[t] != '/') && rest[p, t + 1])
                    : t < text.Length && (pattern[p] == text[t] || (pattern[p] == '?' && text[t] != '/')) && rest[p + 1, t + 1];
            }
        }

        return rest[0, 0];
    }
}
