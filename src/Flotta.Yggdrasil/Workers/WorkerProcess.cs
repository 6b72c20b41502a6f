using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Flotta.Yggdrasil.Workers;

/// <summary>One run of a worker: started with its environment and nothing else, its output logged, ended by SIGTERM and, when that is not heard, SIGKILL.</summary>
internal sealed partial class WorkerProcess(WorkerFile file, IReadOnlyDictionary<string, string> environment, ILogger logger)
{
    private const int LongestLine = 8 << 10;
    private const int Terminate = 15;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Until it has ended; told to stop, it is ended first. <paramref name="started"/> gets its pid.</summary>
    public async Task<int> RunAsync(Action<int> started, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(file.Command[0])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        foreach (var argument in file.Command.Skip(1))
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        started(process.Id);
        LogStarted(logger, file.Name, process.Id);
        // The original shows what a worker says only when asked to debug; a device's owner should not have to ask.
        var output = LinesAsync(process.StandardOutput.BaseStream, line => LogSaid(logger, file.Name, line));
        var errors = LinesAsync(process.StandardError.BaseStream, line => LogWarned(logger, file.Name, line));
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await EndAsync(process);
            throw;
        }

        // A child of its own may hold the pipes open for longer; nobody waits for that.
        await Task.WhenAny(Task.WhenAll(output, errors), Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None));
        return process.ExitCode;
    }

    private static async Task EndAsync(Process process)
    {
        _ = Kill(process.Id, Terminate);
        using var patience = new CancellationTokenSource(Grace, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <summary>Reads to the end whatever comes; of a longer line only the beginning is told.</summary>
    internal static async Task LinesAsync(Stream stream, Action<string> tell)
    {
        var buffer = new byte[4096];
        var line = new MemoryStream();
        try
        {
            for (var count = await stream.ReadAsync(buffer); count > 0; count = await stream.ReadAsync(buffer))
            {
                foreach (var one in buffer.AsMemory(0, count).ToArray())
                {
                    if (one == '\n')
                        Flush();
                    else if (line.Length < LongestLine)
                        line.WriteByte(one);
                }
            }
        }
        catch (IOException)
        {
            // The other end is gone.
        }

        Flush();

        void Flush()
        {
            if (line.Length > 0)
                tell(Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length).TrimEnd('\r') + (line.Length == LongestLine ? "…" : ""));
            line.SetLength(0);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int pid, int signal);

    [LoggerMessage(Level = LogLevel.Information, Message = "worker {Worker} started, pid {Pid}")]
    private static partial void LogStarted(ILogger logger, string worker, int pid);

    [LoggerMessage(Level = LogLevel.Information, Message = "[{Worker}] {Line}")]
    private static partial void LogSaid(ILogger logger, string worker, string line);

    [LoggerMessage(Level = LogLevel.Warning, Message = "[{Worker}] {Line}")]
    private static partial void LogWarned(ILogger logger, string worker, string line);
}
