using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Workloads;

/// <summary>The tasks that run steps: at most one for each workload.</summary>
public sealed partial class WorkloadLoop
{
    /// <param name="Fingerprint">Of the manifest it works for; null for a removal.</param>
    private sealed record WorkUnderWay(string? Fingerprint, CancellationTokenSource Cancellation)
    {
        public Task Task { get; set; } = Task.CompletedTask;

        public string? Pulling { get; set; }
    }

    /// <summary>With the lock held.</summary>
    private void Begin(WorkloadPlan plan, CancellationToken cancellationToken)
    {
        var work = new WorkUnderWay(plan.Desired?.Fingerprint, CancellationTokenSource.CreateLinkedTokenSource(cancellationToken));
        _work.Add(plan.Workload, work);
        work.Task = Task.Run(() => WorkAsync(plan, work), CancellationToken.None);
    }

    private async Task WorkAsync(WorkloadPlan plan, WorkUnderWay work)
    {
        Outcome? outcome = null;
        try
        {
            outcome = await _runner.RunAsync(plan, plan.Reason is null ? activity => Tell(work, activity) : _ => { }, work.Cancellation.Token);
        }
        catch (OperationCanceledException)
        {
            // Something else is desired by now, or the agent stops. Nothing had been touched yet.
        }
        catch (Exception exception)
        {
            LogWorkFailed(_logger, plan.Workload, exception);
            outcome = new Outcome(Reasons.CreateFailed, PodmanSocket.OneLine(exception.Message));
        }
        // Before it counts as done: an agent that is stopped waits for this.
        if (outcome is { TakenBack: true })
            await NoteAsync(plan, outcome);
        lock (_lock)
        {
            _work.Remove(plan.Workload);
            if (outcome is not null)
                _items[plan.Workload] = After(plan, outcome, _items.GetValueOrDefault(plan.Workload, ItemState.Fresh));
        }
        work.Cancellation.Dispose();
        if (outcome is { ImageLost: true })
            Render();
        if (outcome?.Reason is { } reason)
            LogNotDone(_logger, plan.Workload, reason, outcome.Message);
        _wake.Set();
    }

    private ItemState After(WorkloadPlan plan, Outcome outcome, ItemState state)
    {
        // Its records are gone with it: what is made in its place begins anew.
        if (plan.IsRemoval && outcome.Reason is null)
            return ItemState.Fresh;
        var jitter = Random.Shared.NextDouble();
        if (plan.Steps.Any(step => step is Step.Start { Again: true }))
            state = state with { Restarts = state.Restarts + 1, Jitter = jitter, DownSince = null };
        else if (plan.Steps.Any(step => step is Step.Create))
            state = state with { Restarts = 0 };
        if (outcome.Reason is null && plan.Steps.OfType<Step.Prove>().Any())
            state = state with { Good = plan.Desired!.Hash, TakenBack = 0 };
        return outcome.Reason is null ? state.Succeeded() : Failed(plan.Desired?.Fingerprint ?? "", outcome, state, jitter);
    }

    private ItemState Failed(string fingerprint, Outcome outcome, ItemState state, double jitter)
    {
        var times = outcome.TakenBack ? TakenBack(fingerprint, state) + 1 : 0;
        var failed = state.Failed(fingerprint, outcome.Reason!, outcome.Message ?? "", times > 0 ? Backoff.AfterTakingBack(times) : TimeSpan.Zero, Now, jitter);
        return times > 0 ? failed with { TakenBack = times, Restarts = 0 } : failed;
    }

    private static int TakenBack(string fingerprint, ItemState state) => state.Fingerprint == fingerprint ? state.TakenBack : 0;

    private void Tell(WorkUnderWay work, string activity)
    {
        lock (_lock)
            work.Pulling = activity;
        Publish();
    }

    private async Task NoteAsync(WorkloadPlan plan, Outcome outcome)
    {
        int times;
        lock (_lock)
            times = TakenBack(plan.Desired!.Fingerprint, _items.GetValueOrDefault(plan.Workload, ItemState.Fresh)) + 1;
        try
        {
            var note = new FailedUpdate(plan.Desired.Fingerprint, times, outcome.Reason!, outcome.Message!);
            await Records.WriteAsync(_folders.Failed(plan.Workload), note, RecordsJson.Default.FailedUpdate, CancellationToken.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Only the next agent would have wanted to know.
            LogNotNoted(_logger, plan.Workload, exception.Message);
        }
    }

    /// <summary>What an agent of before has learned about an update that does not run.</summary>
    private async Task RecallAsync(CancellationToken cancellationToken)
    {
        List<string> unknown;
        lock (_lock)
            unknown = [.. (_desired ?? []).Where(wanted => WorkloadNames.IsValid(wanted.Name) && !_items.ContainsKey(wanted.Name)).Select(wanted => wanted.Name)];
        foreach (var name in unknown)
        {
            var noted = await Records.ReadAsync(_folders.Failed(name), RecordsJson.Default.FailedUpdate, cancellationToken);
            var good = await Records.ReadAsync(_folders.LastGood(name), RecordsJson.Default.LastGood, cancellationToken);
            var state = ItemState.Fresh with { Good = good?.Hash };
            if (noted is not null)
            {
                var pause = Backoff.AfterTakingBack(noted.Failures);
                state = state.Failed(noted.Fingerprint, noted.Reason, noted.Message, pause, Now, Random.Shared.NextDouble()) with { Announced = "", TakenBack = noted.Failures };
            }
            lock (_lock)
                _items.TryAdd(name, state);
        }
    }

    /// <summary>With the lock held: a pull for a manifest that is no longer desired is a waste.</summary>
    private void CancelOutdated()
    {
        foreach (var (name, work) in _work)
        {
            if (work.Fingerprint is not null && _desired?.FirstOrDefault(wanted => wanted.Name == name)?.Manifest?.Fingerprint != work.Fingerprint)
                work.Cancellation.Cancel();
        }
    }

    /// <summary>With the lock held: states of workloads that nobody wants and that have left no pod.</summary>
    private void Forget()
    {
        var names = _desired!.Select(wanted => wanted.Name).Concat(_work.Keys).Concat(_plan.Workloads.Select(plan => plan.Workload)).ToHashSet(StringComparer.Ordinal);
        foreach (var name in _items.Keys.Where(name => !names.Contains(name)).ToList())
            _items.Remove(name);
    }

    private async Task EndWorkAsync()
    {
        List<WorkUnderWay> work;
        lock (_lock)
        {
            work = [.. _work.Values];
            foreach (var one in work)
                one.Cancellation.Cancel();
        }
        await Task.WhenAll(work.Select(one => one.Task));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Workload} is not as desired: {Reason}: {Explanation}")]
    private static partial void LogNotDone(ILogger logger, string workload, string reason, string? explanation);

    [LoggerMessage(Level = LogLevel.Warning, Message = "That the update of {Workload} was taken back could not be noted: {Problem}")]
    private static partial void LogNotNoted(ILogger logger, string workload, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "The steps for {Workload} failed")]
    private static partial void LogWorkFailed(ILogger logger, string workload, Exception exception);
}
