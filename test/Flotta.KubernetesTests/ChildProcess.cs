using System.Diagnostics;

namespace Flotta.KubernetesTests;

/// <summary>A server program that writes to a log file and does not outlive us.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    // Reading standard input is what notices our death, however we die. "exec" would lose the shell that has to do the killing.
    private const string Guard = """
        exec 3<&0 2>/dev/null; log=$1; shift
        "$@" >>"$log" 2>&1 </dev/null 3<&- & child=$!
        echo $child >"$log.pid"
        (read -r _; kill -9 $child) <&3 & guard=$!
        wait $child; kill $guard
        """;

    private readonly Process shell;
    private readonly string log;

    private ChildProcess(Process shell, string name, string log)
    {
        this.shell = shell;
        this.log = log;
        Name = name;
    }

    public string Name { get; }

    public bool HasExited => shell.HasExited;

    public static ChildProcess Start(string program, string log, params string[] arguments)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, UseShellExecute = false, WorkingDirectory = Path.GetDirectoryName(log) };
        foreach (var argument in (string[])["-c", Guard, "sh", log, program, .. arguments]) start.ArgumentList.Add(argument);
        return new(Process.Start(start)!, Path.GetFileName(program), log);
    }

    /// <summary>STOP, CONT or KILL: what can happen to a server.</summary>
    public async Task SignalAsync(string signal, CancellationToken cancellationToken)
    {
        using var kill = Process.Start("kill", ["-" + signal, (await File.ReadAllTextAsync(log + ".pid", cancellationToken)).Trim()]);
        await kill.WaitForExitAsync(cancellationToken);
        if (kill.ExitCode != 0) throw new InvalidOperationException($"{Name} could not be sent {signal}");
    }

    public async Task<string> LastWordsAsync(CancellationToken cancellationToken) =>
        string.Join('\n', (await File.ReadAllLinesAsync(log, cancellationToken)).TakeLast(20));

    public async ValueTask DisposeAsync()
    {
        shell.StandardInput.Close();
        await shell.WaitForExitAsync(CancellationToken.None);
        shell.Dispose();
    }
}
