using System.Collections.Concurrent;
using Flotta.Agent.Duties;
using Flotta.Agent.Heartbeats;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Playbooks;

/// <summary>What running playbooks needs of the world outside.</summary>
/// <param name="Pushes">The server tells of changes by itself.</param>
internal sealed record PlaybookSite(string Folder, IOutbound Outbound, PlaybookReports Reports, Func<bool> Pushes);

/// <summary>
/// Asks for playbooks when there are some, keeps each on disk before anything of it happens, runs them one at a time and tells how they ended, until the server has heard it.
/// While there are none it is this object and nothing else.
/// </summary>
internal sealed partial class PlaybookLoop(PlaybookSite site, IPlaybookRunner runner, IDutyReport report, ILogger<PlaybookLoop> logger, TimeProvider time) : IDuty
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);
    private readonly Lock _lock = new();
    private readonly Signal _wake = new();
    private readonly ConcurrentQueue<IReadOnlyList<PlaybookExecutionStatus>> _told = [];
    private readonly ExecutionStore _store = new(site.Folder, logger);
    private readonly BackOff _asking = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
    private readonly BackOff _looking = new(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(1));
    private Wanted _wanted = Wanted.Nothing;
    private CancellationTokenSource? _stop;
    private Task _running = Task.CompletedTask;

    private IReadOnlyList<Execution> _known = [];
    private Wanted? _seen;
    private long _askAt;
    private bool _missing;
    private (string Key, CancellationTokenSource Stop, Task<Attempt> Task)? _run;
    private (string Key, Attempt Attempt)? _ended;

    public void Apply(DeviceConfigurationMessage configuration)
    {
        lock (_lock)
        {
            _wanted = Wanted.Of(configuration.Configuration?.AnsibleManager, site.Pushes());
            _wake.Set();
            if (_stop is not null || !(_wanted.IsOn || ExecutionStore.IsThere(site.Folder)))
                return;
            _stop = new CancellationTokenSource();
            _running = KeepAsync(_running, _stop.Token);
        }
    }

    public async Task StopAsync()
    {
        lock (_lock)
        {
            _stop?.Cancel();
            _stop?.Dispose();
            _stop = null;
        }

        await _running;
    }

    private async Task KeepAsync(Task previous, CancellationToken cancellationToken)
    {
        await previous;
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var backOff = new BackOff(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10));
        site.Reports.Told += OnTold;
        try
        {
            while (true)
            {
                try
                {
                    await RunAsync(cancellationToken);
                    return;
                }
                catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
                {
                    LogFault(logger, exception);
                }

                await Task.Delay(backOff.Next(), time, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
        finally
        {
            site.Reports.Told -= OnTold;
            site.Reports.Set([]);
        }
    }

    private void OnTold(IReadOnlyList<PlaybookExecutionStatus> told)
    {
        _told.Enqueue(told);
        _wake.Set();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RecoverAsync();
            while (true)
            {
                Wanted wanted;
                lock (_lock)
                    wanted = _wanted;
                while (_told.TryDequeue(out var told))
                    Become(ExecutionPlan.Told(_known, told));
                if (wanted.Keys is { } keys && wanted != _seen)
                    Become(ExecutionPlan.Listed(_known, keys));
                await AskAsync(wanted, wanted != _seen, cancellationToken);
                _seen = wanted;
                await EndRunAsync();
                var pause = Start(cancellationToken);
                site.Reports.Set(ExecutionPlan.Statuses(_known, !_missing, time.GetUtcNow()));
                if (IsIdle(wanted))
                    return;
                await _wake.WaitAsync(Min(pause, wanted.IsOn && _askAt > 0 ? Until(_askAt) : Longest), time, cancellationToken);
            }
        }
        finally
        {
            await AbandonAsync();
        }
    }

    /// <summary>What still runs of before is ended first: the same playbook twice at a time would be worse than once half.</summary>
    private async Task RecoverAsync()
    {
        (_known, _seen, _askAt) = (_store.Load(), null, 0);
        KeepEnd();
        foreach (var one in _known.Where(one => one.State == ExecutionState.Running && one.Mark is not null))
        {
            if (!await Marks.EndAsync(one.Mark!, time))
                LogLeft(logger, one.Name);
            RunFolder.Remove(RunFolder.Of(one.Mark!));
            LogInterrupted(logger, one.Name);
        }

        Become(ExecutionPlan.Recovered(_known, time.GetUtcNow()));
    }

    private async Task AskAsync(Wanted wanted, bool news, CancellationToken cancellationToken)
    {
        if (!wanted.IsOn || (wanted.Keys is { } keys && keys.All(key => _known.Any(one => one.Key == key))))
        {
            _askAt = 0;
            return;
        }

        // Without a list the server is asked for nothing most of the time: only where an answer could be of use.
        if (wanted.Keys is null && !runner.IsThere)
        {
            _askAt = At(wanted.Poll);
            return;
        }

        if (site.Outbound.Identity is null || (_askAt > 0 && Until(_askAt) > TimeSpan.Zero && !(news && wanted.Keys is not null)))
        {
            _askAt = _askAt == 0 ? At(TimeSpan.FromSeconds(5)) : _askAt;
            return;
        }

        var answer = await site.Outbound.PostAsync(Channel.Data, Message.Data(Directives.Ansible, null, time.GetUtcNow()), cancellationToken);
        var tasks = Delivery.Read(answer);
        // The original says 500 where it has nothing.
        if (wanted.Keys is null && answer.Status == 500)
            tasks = [];
        if (tasks is not null)
        {
            foreach (var task in tasks.Where(task => _known.All(one => one.Key != ExecutionPlan.KeyOf(task))))
                _store.Keep(ExecutionPlan.KeyOf(task), task.AnsiblePlaybookString!);
            Become(ExecutionPlan.Delivered(_known, tasks));
            if (wanted.Keys is null)
                _asking.Reset();
        }

        var complete = wanted.Keys is not null && wanted.Keys.All(key => _known.Any(one => one.Key == key));
        if (complete)
            _asking.Reset();
        _askAt = complete ? 0 : At(wanted.Keys is null && answer.Problem is null ? BackOff.Around(wanted.Poll, 0.1) : _asking.Next(answer.RetryAfter));
    }

    /// <returns>When to look again.</returns>
    private TimeSpan Start(CancellationToken cancellationToken)
    {
        _missing = false;
        var now = time.GetUtcNow();
        // While one runs its end is what is waited for, whatever else may have become due.
        if (_run is not null)
            return Longest;
        if (ExecutionPlan.Next(_known, now) is not { } next)
            return ExecutionPlan.NextAt(_known, now) is { } then ? then - now : Longest;
        if (!runner.IsThere)
        {
            _missing = true;
            return _looking.Next();
        }

        _looking.Reset();
        if (_store.Playbook(next.Key) is not { } playbook)
        {
            // Not run yet: the server still has it.
            Become(next.Attempts == 0 ? [.. _known.Where(one => one != next)] : ExecutionPlan.Ended(_known, next.Key, new Attempt(Succeeded: false, Reasons.ContentLost, "The playbook is no longer on this device.", []), time.GetUtcNow()));
            return TimeSpan.FromSeconds(1);
        }

        var started = ExecutionPlan.Started(_known, next.Key, Marks.New());
        _store.Save(started);
        _known = started;
        var one = started.Single(one => one.Key == next.Key);
        LogStarts(logger, one.Name, one.Attempts);
        var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var task = runner.RunAsync(one, playbook, stop.Token);
        _run = (one.Key, stop, task);
        _ = WakeAfterAsync(task);
        return Longest;
    }

    /// <summary>Not from within the run: whoever wakes up is to find it ended.</summary>
    private async Task WakeAfterAsync(Task run)
    {
        await run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _wake.Set();
    }

    private async Task EndRunAsync()
    {
        if (_run is not { } run)
            return;
        var execution = _known.Single(one => one.Key == run.Key);
        if (!execution.Listed)
            await run.Stop.CancelAsync();
        else if (!run.Task.IsCompleted)
            return;
        Attempt attempt;
        try
        {
            attempt = await run.Task;
        }
        catch (OperationCanceledException) when (!execution.Listed)
        {
            attempt = new Attempt(Succeeded: false, Reasons.Interrupted, "Nobody wants it any more.", []);
        }

        run.Stop.Dispose();
        (_run, _ended) = (null, (run.Key, attempt));
        KeepEnd();
    }

    /// <summary>How a run ended is known until it is on disk: what is there only says that it runs, which after a fault would be taken for an interruption.</summary>
    private void KeepEnd()
    {
        if (_ended is not var (key, attempt))
            return;
        var execution = _known.FirstOrDefault(one => one.Key == key && one.State == ExecutionState.Running);
        if (execution is not null)
        {
            var ended = ExecutionPlan.Ended(_known, key, attempt, time.GetUtcNow());
            Become(ExecutionPlan.Listed(ended, [.. ended.Where(one => one.Listed).Select(one => one.Key)]));
        }

        _ended = null;
        if (execution is null)
            return;
        LogEnded(logger, execution.Name, attempt.Succeeded ? "well" : attempt.Reason!);
        if (!execution.Listed)
            return;
        if (attempt.Succeeded)
            report.Info("PlaybookSucceeded", execution.Name);
        else
            report.Warn("PlaybookFailed", $"{execution.Name}: {attempt.Reason}: {attempt.Message}");
    }

    private async Task AbandonAsync()
    {
        if (_run is not { } run)
            return;
        _run = null;
        if (run.Task.IsCompletedSuccessfully)
            _ended = (run.Key, await run.Task);
        await run.Stop.CancelAsync();
        // How far it came is told at the next start, which finds it as it is on disk.
        await run.Task.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        run.Stop.Dispose();
    }

    private void Become(IReadOnlyList<Execution> next)
    {
        if (next.SequenceEqual(_known))
            return;
        _store.Save(next);
        _known = next;
    }

    private bool IsIdle(Wanted wanted)
    {
        lock (_lock)
        {
            if (_wanted != wanted || wanted.IsOn || _run is not null || _known.Any(one => one.Listed) || _stop is null)
                return false;
            _stop.Dispose();
            _stop = null;
            return true;
        }
    }

    private long At(TimeSpan pause) => time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency);

    private TimeSpan Until(long then) => time.GetElapsedTime(time.GetTimestamp(), then) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    [LoggerMessage(Level = LogLevel.Information, Message = "playbook {Name} starts, attempt {Attempt}")]
    private static partial void LogStarts(ILogger logger, string name, int attempt);

    [LoggerMessage(Level = LogLevel.Information, Message = "playbook {Name} ended: {How}")]
    private static partial void LogEnded(ILogger logger, string name, string how);

    [LoggerMessage(Level = LogLevel.Warning, Message = "playbook {Name} was interrupted")]
    private static partial void LogInterrupted(ILogger logger, string name);

    [LoggerMessage(Level = LogLevel.Error, Message = "what is left of playbook {Name} cannot be ended")]
    private static partial void LogLeft(ILogger logger, string name);

    [LoggerMessage(Level = LogLevel.Error, Message = "playbooks failed, beginning anew")]
    private static partial void LogFault(ILogger logger, Exception exception);
}
