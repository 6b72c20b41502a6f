namespace Flotta.Agent.Files;

/// <summary>A path without the links on the way, as the kernel tells of mounts. What is not there (yet) keeps its name.</summary>
internal static class RealPath
{
    // As many as the kernel follows.
    private const int MostLinks = 40;

    public static string Of(string path)
    {
        if (!path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal))
            return path;
        var (real, links) = ("/", 0);
        var rest = new Stack<string>(Names(path));
        while (rest.TryPop(out var name))
        {
            var next = Path.GetFullPath(Path.Combine(real, name));
            if (new FileInfo(next).LinkTarget is not { Length: > 0 } target || links++ >= MostLinks)
            {
                real = next;
                continue;
            }

            if (target[0] == '/')
                real = "/";
            foreach (var part in Names(target))
                rest.Push(part);
        }

        return real;
    }

    /// <summary>The last first.</summary>
    private static IEnumerable<string> Names(string path) => Enumerable.Reverse(path.Split('/', StringSplitOptions.RemoveEmptyEntries));
}
