using System.Diagnostics;
using Flotta.Yggdrasil.Settings;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Yggdrasil.Workers;

/// <summary>Keeps one process running for each file of the folder: started when a file comes, started anew when it changes or the process ends, ended when it goes.</summary>
/// <param name="environment">What a worker of a file gets.</param>
/// <param name="runFolder">Where pids are kept.</param>
public sealed partial class WorkerFolder(
    string folder,
    string runFolder,
    IReadOnlySet<string> excluded,
    Func<WorkerFile, IReadOnlyDictionary<string, string>> environment,
    ILogger<WorkerFolder> logger,
    TimeProvider time)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);

    private sealed record Running(object Stamp, CancellationTokenSource Stop, Task Task);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        EndOrphans();
        var running = new Dictionary<string, Running>(StringComparer.Ordinal);
        try
        {
            while (true)
            {
                await LookAsync(running, cancellationToken);
                await Task.Delay(BetweenLooks, time, cancellationToken);
            }
        }
        finally
        {
            await Task.WhenAll(running.Values.Select(EndAsync));
        }
    }

    private async Task LookAsync(Dictionary<string, Running> running, CancellationToken cancellationToken)
    {
        var files = Files();
        foreach (var (path, known) in running.ToList())
        {
            if (files.TryGetValue(path, out var stamp) && Equals(stamp, known.Stamp))
                continue;
            running.Remove(path);
            await EndAsync(known);
        }

        foreach (var (path, stamp) in files.Where(file => !running.ContainsKey(file.Key)))
        {
            var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            running.Add(path, new Running(stamp, stop, KeepAsync(path, stop.Token)));
        }
    }

    private Dictionary<string, object> Files()
    {
        try
        {
            return Directory.Exists(folder)
                ? new DirectoryInfo(folder).EnumerateFiles("*.toml")
                    .Where(file => !excluded.Contains(Path.GetFileNameWithoutExtension(file.Name)))
                    .ToDictionary(file => file.FullName, object (file) => (file.LastWriteTimeUtc, file.Length), StringComparer.Ordinal)
                : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogUnusable(logger, exception.Message);
            return [];
        }
    }

    private static async Task EndAsync(Running one)
    {
        await one.Stop.CancelAsync();
        await one.Task.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        one.Stop.Dispose();
    }

    private async Task KeepAsync(string path, CancellationToken cancellationToken)
    {
        await Task.Yield();
        WorkerFile file;
        try
        {
            file = WorkerFile.Read(path);
        }
        catch (SettingsException exception)
        {
            // Until the file changes.
            LogUnusable(logger, exception.Message);
            return;
        }

        var pause = new RestartPause();
        var pidFile = Path.Combine(runFolder, file.Name + ".pid");
        while (!cancellationToken.IsCancellationRequested)
        {
            var clock = Stopwatch.StartNew();
            string how;
            try
            {
                var code = await new WorkerProcess(file, environment(file), logger).RunAsync(pid => Note(file.Name, pidFile, pid), cancellationToken);
                how = $"it ended with code {code}";
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                how = $"it cannot be started: {exception.Message}";
            }
            finally
            {
                Forget(pidFile);
            }

            var wait = pause.After(clock.Elapsed);
            LogEnded(logger, file.Name, how, wait.TotalSeconds);
            await Task.Delay(wait, time, cancellationToken);
        }
    }

    // Only a daemon after this one would need it, and a full disk is no reason to let go of a process.
    private void Note(string worker, string pidFile, int pid)
    {
        try
        {
            PidFile.Write(pidFile, pid);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogNotNoted(logger, worker, pid, exception.Message);
        }
    }

    private static void Forget(string pidFile)
    {
        try
        {
            File.Delete(pidFile);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It, or its folder, was never made; and what it says of a process that has ended misleads nobody.
        }
    }

    /// <summary>Workers of a daemon that was killed: they hold handlers of a dispatcher that is no more.</summary>
    private void EndOrphans()
    {
        if (!Directory.Exists(runFolder))
            return;
        foreach (var path in Directory.EnumerateFiles(runFolder, "*.pid"))
        {
            if (PidFile.Running(path) is { } pid)
            {
                LogOrphan(logger, Path.GetFileNameWithoutExtension(path), pid);
                try
                {
                    using var process = Process.GetProcessById(pid);
                    process.Kill(entireProcessTree: true);
                }
                catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
                {
                    // Gone in this moment.
                }
            }

            File.Delete(path);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "a worker is not started: {Problem}")]
    private static partial void LogUnusable(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "worker {Worker} is started again in {Seconds:0.0} s: {How}")]
    private static partial void LogEnded(ILogger logger, string worker, string how, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "worker {Worker} runs, pid {Pid}, but that cannot be written down: {Problem}")]
    private static partial void LogNotNoted(ILogger logger, string worker, int pid, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "worker {Worker} of a daemon before this one is ended, pid {Pid}")]
    private static partial void LogOrphan(ILogger logger, string worker, int pid);
}
