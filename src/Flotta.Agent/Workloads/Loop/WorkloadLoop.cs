using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Workloads;

/// <summary>
/// Makes podman's pods what is desired: on Apply, on podman's events, and now and then. Each look at podman ends in a plan; each workload with
/// work in it gets one task of its own, so that a stalled registry or a slow stop delays nobody else. Never throws out of RunAsync.
/// </summary>
public sealed partial class WorkloadLoop
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ResyncWhenDeaf = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestWithoutPodman = TimeSpan.FromSeconds(30);

    private readonly PodmanClient _podman;
    private readonly string _deviceId;
    private readonly TimeProvider _time;
    private readonly ILogger<WorkloadLoop> _logger;
    private readonly WorkloadFolders _folders;
    private readonly StepRunner _runner;
    private readonly Wake _wake;
    private readonly PodmanWatch _watch;
    private readonly PendingEvents _events = new();
    private readonly long _start;

    // Everything below is guarded by this.
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ItemState> _items = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WorkUnderWay> _work = new(StringComparer.Ordinal);
    private IReadOnlyList<DesiredPod>? _desired;
    private IReadOnlyList<ActualPod> _actual = [];
    private Plan _plan = new([]);
    private int _failedLooks;
    private bool _closed;
    private volatile IReadOnlyList<WorkloadState> _states = [];

    public WorkloadLoop(PodmanClient podman, string deviceId, string dataDirectory, TimeProvider time, ILogger<WorkloadLoop> logger)
    {
        (_podman, _deviceId, _time, _logger) = (podman, deviceId, time, logger);
        _folders = new WorkloadFolders(Path.GetFullPath(dataDirectory));
        _runner = new StepRunner(podman, deviceId, _folders, time, logger);
        _wake = new Wake(time);
        _watch = new PodmanWatch(podman, _wake, time);
        _start = time.GetTimestamp();
    }

    /// <summary>Something that a heartbeat should tell at once.</summary>
    public event Action? Changed;

    public IReadOnlyList<WorkloadState> States => _states;

    // Time that no clock adjustment moves.
    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>Takes the place of what was desired before. Until the first call nothing is touched, so a device that has lost its configuration keeps what runs.</summary>
    public void Apply(DesiredWorkloads desired)
    {
        var pods = DesiredPod.From(desired, _deviceId, _folders);
        lock (_lock)
        {
            if (_closed)
                return;
            _desired = pods;
            CancelOutdated();
        }
        LogApplied(_logger, pods.Count);
        Publish();
        _wake.Set();
    }

    public IReadOnlyList<WorkloadEvent> TakeEvents() => _events.Take();

    /// <summary>Gives back what could not be sent; it comes first at the next <see cref="TakeEvents"/>.</summary>
    public void ReturnEvents(IReadOnlyList<WorkloadEvent> events) => _events.Return(events);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var watching = WatchAsync(cancellationToken);
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                var next = await LookAsync(cancellationToken);
                await Task.Delay(BetweenLooks, _time, cancellationToken);
                await _wake.WaitAsync(next, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        await watching;
        await EndWorkAsync();
    }

    /// <summary>Deregistration: everything of ours goes, and nothing else. Whatever is applied later is ignored. Throws when podman cannot be asked.</summary>
    public async Task RemoveAllAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            (_closed, _desired) = (true, []);
        await EndWorkAsync();
        await new Farewell(_podman, _runner, _deviceId, _folders, _time).RunAsync(cancellationToken);
        lock (_lock)
            (_actual, _plan) = ([], new Plan([]));
        Publish();
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _watch.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>One look at podman, and the start of what follows from it. Returns when to look again at the latest.</summary>
    private async Task<TimeSpan> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (IsIdle())
                return Resync;
            await RecallAsync(cancellationToken);
            var actual = await Observation.ReadAsync(_podman, _deviceId, cancellationToken);
            BackAgain();
            var next = Decide(actual, cancellationToken);
            Publish();
            return next;
        }
        catch (PodmanException exception)
        {
            return Unavailable(exception.Message);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Should not happen; whatever it is, the workloads that run are better off with a loop that goes on.
            LogFailed(_logger, exception);
            return Unavailable(PodmanSocket.OneLine(exception.Message));
        }
    }

    private bool IsIdle()
    {
        lock (_lock)
            return _closed || _desired is null;
    }

    private TimeSpan Decide(IReadOnlyList<ActualPod> actual, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_closed || _desired is null)
                return Resync;
            var now = Now;
            foreach (var name in _desired.Select(wanted => wanted.Name).Concat(_items.Keys).Distinct(StringComparer.Ordinal).ToList())
                _items[name] = _items.GetValueOrDefault(name, ItemState.Fresh).Seen(actual.FirstOrDefault(pod => pod.IsOf(name)), now);
            var plan = Plan.Between(_desired, actual, _items, now);
            if (plan.Workloads.Any(workload => workload.HasWork) && plan.ToString() != _plan.ToString())
                LogPlan(_logger, plan.ToString());
            (_actual, _plan) = (actual, plan);
            Forget();
            foreach (var workload in plan.Workloads)
            {
                if (_work.ContainsKey(workload.Workload))
                    continue;
                Announce(workload, now);
                if (workload.HasWork)
                    Begin(workload, cancellationToken);
            }
            return Next(now);
        }
    }

    private void Announce(WorkloadPlan workload, TimeSpan now)
    {
        var pod = _actual.FirstOrDefault(pod => pod.IsOf(workload.Workload));
        var (state, happened) = Announcements.Of(workload, pod, _items.GetValueOrDefault(workload.Workload, ItemState.Fresh), now);
        _items[workload.Workload] = state;
        if (happened is not null)
            _events.Add(happened);
    }

    private TimeSpan Next(TimeSpan now)
    {
        var resync = (_watch.Listening ? Resync : ResyncWhenDeaf) * (0.9 + (Random.Shared.NextDouble() / 5));
        var waits = _plan.Workloads.SelectMany(workload => workload.Steps).OfType<Step.Wait>().Select(wait => wait.Until);
        var recoveries = _items.Values.Select(Announcements.RecoveryAt).OfType<TimeSpan>().Where(at => at > now);
        return waits.Concat(recoveries).Select(at => at > now ? at - now : TimeSpan.Zero).Append(resync).Min();
    }

    private void BackAgain()
    {
        if (Interlocked.Exchange(ref _failedLooks, 0) >= ToldAfter)
            _events.Add(new WorkloadEvent(Reasons.Recovered, "podman answers again", "info"));
    }

    // Once is a restart of podman's service; three times in a row is news.
    private const int ToldAfter = 3;

    private TimeSpan Unavailable(string message)
    {
        var failures = Interlocked.Increment(ref _failedLooks);
        _podman.Forget();
        if (failures == ToldAfter)
        {
            LogUnavailable(_logger, message);
            _events.Add(new WorkloadEvent(Reasons.PodmanUnavailable, message, "warn"));
        }
        if (failures > 1)
            Publish(message);
        var delay = Backoff.After(failures, Random.Shared.NextDouble());
        return delay < LongestWithoutPodman ? delay : LongestWithoutPodman;
    }

    private void Publish(string? unavailable = null)
    {
        lock (_lock)
        {
            var desired = _desired ?? [];
            var states = unavailable is null
                ? Reports.Of(desired, _actual, name => _plan.Workloads.FirstOrDefault(plan => plan.Workload == name), name => _work.GetValueOrDefault(name)?.Pulling, _states, _time.GetUtcNow())
                : Reports.Unavailable(desired, _states, unavailable, _time.GetUtcNow());
            if (states.SequenceEqual(_states))
                return;
            _states = states;
        }
        Changed?.Invoke();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} workloads are desired")]
    private static partial void LogApplied(ILogger logger, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Plan:\n{Plan}")]
    private static partial void LogPlan(ILogger logger, string plan);

    [LoggerMessage(Level = LogLevel.Warning, Message = "podman cannot be used: {Reason}")]
    private static partial void LogUnavailable(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Looking after the workloads failed")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
