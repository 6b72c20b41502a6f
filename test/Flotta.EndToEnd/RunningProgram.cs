using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Flotta.EndToEnd;

/// <summary>A real process: its output by line, its signals, its end. Disposing kills what still runs.</summary>
internal sealed partial class RunningProgram : IAsyncDisposable
{
    private readonly Process process;
    private readonly ConcurrentQueue<string> lines = new();
    private readonly ConcurrentQueue<string> output = new();
    private bool disposed;

    private RunningProgram(Process process) => this.process = process;

    public int Id => process.Id;

    public bool HasEnded => process.HasExited;

    public int ExitCode => process.ExitCode;

    /// <summary>Resident memory, as of now.</summary>
    public double MemoryMiB => process.HasExited ? 0 : long.Parse(
        File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))[6..^2].Trim(), System.Globalization.CultureInfo.InvariantCulture) / 1024.0;

    /// <summary>All that it said so far, both streams.</summary>
    public string Said => string.Join('\n', lines);

    public static RunningProgram Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var running = new RunningProgram(new Process { StartInfo = start });
        running.process.OutputDataReceived += (_, line) => running.Keep(line.Data, running.output);
        running.process.ErrorDataReceived += (_, line) => running.Keep(line.Data, null);
        running.process.Start();
        running.process.StandardInput.Close();
        running.process.BeginOutputReadLine();
        running.process.BeginErrorReadLine();
        return running;
    }

    /// <summary>Runs to its end, within a minute unless told otherwise; the answer is exit code, standard output, and all that was said.</summary>
    public static async Task<(int ExitCode, string Output, string Said)> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, TimeSpan? deadline = null, string? folder = null)
    {
        await using var running = Start(program, arguments, environment, folder);
        await running.EndAsync(deadline ?? TimeSpan.FromMinutes(1));
        return (running.ExitCode, string.Join('\n', running.output), running.Said);
    }

    public async Task<string> LineAsync(Func<string, bool> wanted, TimeSpan deadline)
    {
        string? found = null;
        await Eventually.TrueAsync(
            () => Task.FromResult((found = lines.FirstOrDefault(wanted)) != null || process.HasExited),
            deadline,
            () => "it said:\n" + Said);
        return found ?? lines.FirstOrDefault(wanted) ?? throw new InvalidOperationException($"it ended with {process.ExitCode} and had said:\n{Said}");
    }

    public async Task EndAsync(TimeSpan deadline)
    {
        using var patience = new CancellationTokenSource(deadline);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException late)
        {
            throw new TimeoutException($"{process.StartInfo.FileName} did not end within {deadline}; it said:\n{Said}", late);
        }
    }

    public void Kill() => process.Kill();

    /// <summary>As a service manager stops it.</summary>
    public void Terminate() => Signal(15);

    /// <summary>As Ctrl-C does; as a service manager does where the tests run in the background of a shell, whose children never hear of a Ctrl-C.</summary>
    public void Interrupt() => Signal(InterruptsAreIgnored() ? 15 : 2);

    private static bool InterruptsAreIgnored()
    {
        var ignored = File.ReadLines("/proc/self/status").First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[7..].Trim();
        return (ulong.Parse(ignored, System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture) & (1 << (2 - 1))) != 0;
    }

    public void Signal(int signal)
    {
        if (kill(process.Id, signal) != 0 && !process.HasExited)
            throw new InvalidOperationException($"signal {signal} could not be sent");
    }

    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private void Keep(string? line, ConcurrentQueue<string>? also)
    {
        if (line == null)
            return;
        lines.Enqueue(line);
        also?.Enqueue(line);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int process, int signal);
}
