namespace Flotta.KubernetesTests.ApiServer;

/// <summary>One request of a script: a line with method and path, headers, then the body; an empty line ends it.</summary>
/// <param name="Differs">Why the two servers are known to answer differently; null when they must answer the same.</param>
/// <param name="As">Whom the administrator acts as: `user group group`; null: nobody.</param>
internal sealed record ScriptedRequest(HttpMethod Method, string Path, string? ContentType, string? Accept, string? Body, string? Differs, string? As = null)
{
    private const string DiffersMark = "# differs: ";

    public static string Folder { get; } = System.IO.Path.Combine(Repository(), "test", "Flotta.KubernetesTests", "ApiServer", "Scripts");

    public static IEnumerable<ScriptedRequest> Read(string name, string space) =>
        File.ReadAllText(System.IO.Path.Combine(Folder, name + ".http")).Replace("{ns}", space, StringComparison.Ordinal)
            .Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Parse);

    public override string ToString() => $"{(As is null ? "" : $"as {As}: ")}{Method} {Path} {Body}";

    private static ScriptedRequest Parse(string block)
    {
        var lines = new Queue<string>(block.Split('\n'));
        var differs = lines.Peek().StartsWith(DiffersMark, StringComparison.Ordinal) ? lines.Dequeue()[DiffersMark.Length..] : null;
        var words = lines.Dequeue().Split(' ', 2);
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        while (lines.TryPeek(out var line) && line.Split(": ", 2) is [("Content-Type" or "Accept" or "As") and var header, var value])
        {
            headers[header] = value;
            lines.Dequeue();
        }

        return new ScriptedRequest(
            HttpMethod.Parse(words[0]), words[1], headers.GetValueOrDefault("Content-Type"), headers.GetValueOrDefault("Accept"),
            lines.Count > 0 ? string.Join('\n', lines) : null, differs, headers.GetValueOrDefault("As"));
    }

    private static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(System.IO.Path.Combine(folder, "Flotta.slnx"))) folder = System.IO.Path.GetDirectoryName(folder)!;
        return folder;
    }
}
