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
    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestWithoutPodman = TimeSpan.FromSeconds(30);

    private readonly PodmanClient _podman;
    private readonly string _deviceId;
    private readonly TimeProvider _time;
    private readonly ILogger<WorkloadLoop> _logger;
    private readonly WorkloadFolders _folders;
    private readonly StepRunner _runner;
    private readonly PulledImages _pulled;
    private readonly SystemdUnits? _units;
    private readonly Wake _wake;
    private readonly ProbeLoop _probes;
    private readonly PodmanWatch _watch;
    private readonly PendingEvents _events = new();
    private readonly long _start;

    // Everything below is guarded by this.
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ItemState> _items = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WorkUnderWay> _work = new(StringComparer.Ordinal);
    private IReadOnlyList<DesiredPod>? _desired;
    private IReadOnlyList<string> _mounts = [];
    private IReadOnlyList<ActualPod> _actual = [];
    private Plan _plan = new([]);
    private int _failedLooks;
    private TimeSpan _sweptAt;
    private bool _closed;
    private bool _halted;
    private volatile IReadOnlyList<WorkloadState> _states = [];

    /// <param name="user">Whose podman it is; null for root's.</param>
    /// <param name="systemd">What starts workloads at boot; null where only the agent does.</param>
    internal WorkloadLoop(PodmanClient podman, string deviceId, string dataDirectory, TimeProvider time, ILogger<WorkloadLoop> logger, Account? user = null, SystemdScope? systemd = null)
    {
        (_podman, _deviceId, _time, _logger) = (podman, deviceId, time, logger);
        _folders = WorkloadFolders.In(dataDirectory, user);
        _pulled = new PulledImages(podman, _folders, logger);
        _updates = new AutoUpdate(podman, _folders, _pulled, logger);
        _units = systemd is null ? null : new SystemdUnits(systemd, deviceId, _folders, podman.VersionAsync, time, logger);
        _runner = new StepRunner(podman, deviceId, _folders, time, logger, _pulled, cancellationToken => _pulled.SweepAsync(Wanted(), now: true, cancellationToken), _units);
        _wake = new Wake(time);
        _probes = new ProbeLoop(podman, _wake, time);
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
            (_desired, _applied, _mounts) = (pods, desired, desired.Mounts);
            CancelOutdated();
        }
        LogApplied(_logger, pods.Count);
        Publish();
        _wake.Set();
    }

    /// <summary>To be taken whenever <see cref="Changed"/> says so; whoever takes them keeps them.</summary>
    public IReadOnlyList<WorkloadEvent> TakeEvents() => _events.Take();

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
        await _unitWork;
        await _updateWork;
        await _probes.EndAsync();
        _probes.Dispose();
    }

    /// <summary>Deregistration: everything of ours goes, and nothing else. Whatever is applied later is ignored. Throws when podman cannot be asked.</summary>
    public async Task RemoveAllAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            (_closed, _desired) = (true, []);
        await EndWorkAsync();
        await _unitWork;
        await new Farewell(_podman, _runner, _deviceId, _folders, _time, _units).RunAsync(cancellationToken);
        lock (_lock)
            (_actual, _plan) = ([], new Plan([]));
        Publish();
    }

    /// <summary>The machine goes down: what runs is stopped, each pod within its grace, and nothing is started until <see cref="Resume"/>. Where podman does not answer, that is for the shutdown to do.</summary>
    public async Task HaltAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            _halted = true;
        await EndWorkAsync();
        try
        {
            var pods = (await _podman.ListPodsAsync(cancellationToken)).Select(pod => ActualPod.From(pod, _deviceId)).Where(pod => pod.Ours && pod.Containers.Any(container => container.Running));
            await Task.WhenAll(pods.Select(pod => _podman.StopPodAsync(pod.Id, pod.GraceSeconds, cancellationToken)));
        }
        catch (PodmanException exception)
        {
            LogUnavailable(_logger, exception.Message);
        }
    }

    public void Resume()
    {
        lock (_lock)
            _halted = false;
        _wake.Set();
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
            var actual = await ProbedAsync(await Observation.ReadAsync(_podman, _deviceId, cancellationToken), cancellationToken);
            BackAgain();
            var next = Decide(actual, cancellationToken);
            Publish();
            if (IsOutdated())
                return next;
            KeepUnits(cancellationToken);
            FollowImages(cancellationToken);
            await ForgetLeftoversAsync();
            await SweepAsync(cancellationToken);
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

    /// <summary>Files of a workload that went while it had no pod, or whose removal a crash cut short: another one of that name is not to find them.</summary>
    private async Task ForgetLeftoversAsync()
    {
        if (!Directory.Exists(_folders.Workloads))
            return;
        HashSet<string> known;
        lock (_lock)
            known = [.. (_desired ?? []).Select(wanted => wanted.Name), .. _work.Keys, .. _plan.Workloads.Select(plan => plan.Workload)];
        foreach (var leftover in Directory.GetDirectories(_folders.Workloads).Select(folder => Path.GetFileName(folder)).Where(name => !known.Contains(name)))
        {
            try
            {
                await _runner.ForgetAsync(leftover);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                LogNotForgotten(_logger, leftover, exception.Message);
            }
        }
    }

    /// <summary>Now and then, and never while something is being pulled for.</summary>
    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_work.Count > 0 || Now - _sweptAt < BetweenSweeps)
                return;
            _sweptAt = Now;
        }
        await _pulled.SweepAsync(Wanted(), now: false, cancellationToken);
    }

    private HashSet<string> Wanted()
    {
        lock (_lock)
            return [.. (_desired ?? []).SelectMany(wanted => wanted.Manifest?.Images ?? []).SelectMany(image => new[] { image.Reference, image.Id }).OfType<string>()];
    }

    private bool IsIdle()
    {
        lock (_lock)
            return _closed || _halted || _desired is null;
    }

    private bool IsOutdated()
    {
        lock (_lock)
            return _applied.IsOutdated;
    }

    private TimeSpan Decide(IReadOnlyList<ActualPod> actual, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_closed || _halted || _desired is null)
                return Resync;
            var now = Now;
            foreach (var name in _desired.Select(wanted => wanted.Name).Concat(_items.Keys).Distinct(StringComparer.Ordinal).ToList())
                _items[name] = _items.GetValueOrDefault(name, ItemState.Fresh).Seen(actual.FirstOrDefault(pod => pod.IsOf(name)), now);
            var plan = Plan.Between(_desired, actual, _items, now, _applied.IsOutdated);
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
        return waits.Concat(recoveries).Concat(_updatesAt is { } update ? [update] : []).Select(at => at > now ? at - now : TimeSpan.Zero).Append(resync).Min();
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
            if (states.SequenceEqual(_states) && _events.IsEmpty)
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "What is left of {Workload} could not be removed yet: {Problem}")]
    private static partial void LogNotForgotten(ILogger logger, string workload, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "Looking after the workloads failed")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
