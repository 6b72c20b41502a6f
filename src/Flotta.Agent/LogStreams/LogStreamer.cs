using System.Collections.Concurrent;
using Flotta.Agent.Workloads;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.LogStreams;

/// <summary>
/// Sends the lines of a workload while somebody looks at them: <c>flotta logs</c>. Begins with a command of the server, ends when the server answers the request that carries
/// the lines, and is nothing at all in between.
/// </summary>
internal sealed partial class LogStreamer(
    PodmanClient podman,
    string deviceId,
    Func<string, HttpContent, TimeSpan, CancellationToken, Task<Answer>> send,
    ILogger<LogStreamer> logger,
    TimeProvider time)
{
    /// <summary>As many streams as leave room for other requests on the connection, should all of their readers stand still.</summary>
    public const int MostStreams = 2;

    /// <summary>The server's bound is lower; this is for a server that has none.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(70);

    private readonly ConcurrentDictionary<string, Task> _streams = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();

    public int Streams => _streams.Count;

    public void Take(Command command)
    {
        if (!string.Equals(command.Name, Commands.Logs, StringComparison.Ordinal) || LogArguments.From(command.Arguments) is not { } asked)
        {
            LogUnknown(logger);
            return;
        }

        // The server lets nobody wait for a stream that does not begin.
        if (_streams.Count >= MostStreams || _stop.IsCancellationRequested)
        {
            LogBusy(logger, asked.Workload);
            return;
        }

        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_streams.TryAdd(asked.Stream, running.Task))
            return;
        _ = RunAsync(asked, running);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_streams.Values);
    }

    private async Task RunAsync(LogArguments asked, TaskCompletionSource running)
    {
        LogBegins(logger, asked.Workload);
        using var end = new CancellationTokenSource(Longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, _stop.Token);
        try
        {
            using var content = new LogContent(new WorkloadLines(podman, deviceId, asked, time), either.Token);
            var answer = await send(asked.Stream, content, Longest, either.Token);
            if (!answer.IsOk)
                LogNotTaken(logger, asked.Workload, answer.ToString());
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
        catch (Exception exception)
        {
            LogFailed(logger, asked.Workload, exception);
        }
        finally
        {
            await end.CancelAsync();
            _streams.TryRemove(asked.Stream, out _);
            running.SetResult();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "somebody looks at the logs of {Workload}")]
    private static partial void LogBegins(ILogger logger, string workload);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the server asks for something that this agent does not know")]
    private static partial void LogUnknown(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the logs of {Workload} are not sent: as many as may be are being sent already")]
    private static partial void LogBusy(ILogger logger, string workload);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the server did not take the logs of {Workload}: {Answer}")]
    private static partial void LogNotTaken(ILogger logger, string workload, string answer);

    [LoggerMessage(Level = LogLevel.Error, Message = "the logs of {Workload} could not be sent")]
    private static partial void LogFailed(ILogger logger, string workload, Exception exception);
}
