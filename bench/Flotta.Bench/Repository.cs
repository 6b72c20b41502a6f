namespace Flotta.Bench;

internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    public static string Program(string name) =>
        Path.Combine(Root, "out", name) is var path && File.Exists(path) ? path : throw new FileNotFoundException($"{path} is not there: run 'make build' and bench/run.sh.");

    private static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "Flotta.slnx"))
            ? folder
            : Find(Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("Flotta.slnx is in no folder above."));
}
