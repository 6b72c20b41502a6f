using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Flotta.Bench;

/// <summary>A table of what was measured, printed row by row and kept under bench/results with the command, the machine and the commit.</summary>
internal sealed class Results(string name, string title, string command, params string[] columns)
{
    private readonly StringBuilder _text = new();
    private readonly List<string> _notes = [];

    public void Row(params string[] cells)
    {
        if (_text.Length == 0)
            Print($"| {string.Join(" | ", columns)} |\n|{string.Concat(Enumerable.Repeat("---|", columns.Length))}");
        Print($"| {string.Join(" | ", cells)} |");
    }

    public void Note(string text) => _notes.Add(text);

    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        var cpu = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown CPU";
        var commit = await GitAsync("rev-parse", "--short", "HEAD");
        var changes = (await GitAsync("status", "--porcelain", "--untracked-files=no")).Length > 0 ? " with changes" : "";
        var load = (await File.ReadAllTextAsync("/proc/loadavg", cancellationToken)).Split(' ')[2];
        var head = $"""
            # {title}

            `{command}` on {Environment.ProcessorCount} cores ({cpu}), commit {commit}{changes}; server and client share the machine. Load average of the last 15 minutes at the end: {load}.


            """;
        var file = Path.Combine(Repository.Root, "bench", "results", $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}-{name}.md");
        await File.WriteAllTextAsync(file, head + _text + (_notes.Count > 0 ? "\n" + string.Join("\n", _notes) + "\n" : ""), cancellationToken);
        Console.WriteLine($"written to {Path.GetRelativePath(Repository.Root, file)}");
    }

    public static string Number(double value, string format = "N0") => value.ToString(format, CultureInfo.InvariantCulture);

    private void Print(string line)
    {
        Console.WriteLine(line);
        _text.Append(line).Append('\n');
    }

    private static async Task<string> GitAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("git") { UseShellExecute = false, RedirectStandardOutput = true, WorkingDirectory = Repository.Root };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var git = Process.Start(start)!;
        return (await git.StandardOutput.ReadToEndAsync()).Trim();
    }
}
