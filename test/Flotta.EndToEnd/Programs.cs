namespace Flotta.EndToEnd;

/// <summary>The programs that <c>make build</c> leaves, as a user has them.</summary>
internal static class Programs
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    public static string Flotta { get; } = Built("flotta");

    public static string Agent { get; } = Built("flotta-agent");

    public static string Fleet { get; } = Built("flotta-fleet");

    private static string Built(string name)
    {
        var path = Path.Combine(Root, "out", name);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is not there: run 'make build' first.");
    }

    private static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "Flotta.slnx"))
            ? folder
            : Find(Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("Flotta.slnx is in no folder above the tests."));
}
