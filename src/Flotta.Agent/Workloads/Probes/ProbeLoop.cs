namespace Flotta.Agent.Workloads;

/// <summary>A container whose probes are due, and where its pod is reached.</summary>
/// <param name="Run">Changes when the container is started anew.</param>
internal sealed record ProbedContainer(string Id, string Run, string? Host, IReadOnlyList<ContainerProbe> Probes);

/// <summary>
/// Asks the probes of the containers that run, each in its own time, and wakes the workload loop when a verdict changes.
/// It runs only while a workload has probes.
/// </summary>
internal sealed class ProbeLoop(PodmanClient podman, Wake wake, TimeProvider time) : IDisposable
{
    private const int AtOnce = 8;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private readonly ProbeCall _call = new(podman, time);
    private readonly Wake _changed = new(time);
    private readonly long _start = time.GetTimestamp();
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Id, ProbeKind Kind), ProbeState> _states = [];
    private IReadOnlyList<ProbedContainer> _containers = [];
    private Task? _running;

    private TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>Those that run now; what is known of others is forgotten.</summary>
    public void Watch(IReadOnlyList<ProbedContainer> containers, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_containers.Count == containers.Count && _containers.Zip(containers).All(pair => pair.First.Id == pair.Second.Id && pair.First.Run == pair.Second.Run))
                return;
            _containers = containers;
            var alive = containers.SelectMany(one => one.Probes.Select(probe => (one.Id, probe.Kind))).ToHashSet();
            foreach (var gone in _states.Keys.Where(key => !alive.Contains(key)).ToList())
                _states.Remove(gone);
            foreach (var container in containers)
            {
                foreach (var probe in container.Probes)
                {
                    if (_states.GetValueOrDefault((container.Id, probe.Kind))?.Run != container.Run)
                        _states[(container.Id, probe.Kind)] = ProbeState.Begin(probe, container.Run, Now);
                }
            }
            if (containers.Count > 0 && _running is null or { IsCompleted: true })
                _running = Task.Run(() => RunAsync(cancellationToken), CancellationToken.None);
        }
        _changed.Set();
    }

    public ProbeVerdict Of(string container)
    {
        lock (_lock)
        {
            return _containers.FirstOrDefault(one => one.Id == container) is { } probed
                ? ProbeVerdict.Of([.. probed.Probes.Select(probe => (probe, _states.GetValueOrDefault((container, probe.Kind))))])
                : ProbeVerdict.Well;
        }
    }

    public Task EndAsync() => _running ?? Task.CompletedTask;

    public void Dispose() => _call.Dispose();

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var due = Due(out var next);
                if (due is null)
                    return;
                await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, AskAsync);
                if (due.Count == 0)
                    await _changed.WaitAsync(next, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Null when there is nothing to ask any more. A container that has not come up is asked nothing but that.</summary>
    private List<(ProbedContainer Container, ContainerProbe Probe)>? Due(out TimeSpan next)
    {
        lock (_lock)
        {
            next = Longest;
            if (_containers.Count == 0)
            {
                _running = null;
                return null;
            }
            var due = new List<(ProbedContainer, ContainerProbe)>();
            foreach (var container in _containers)
            {
                foreach (var probe in container.Probes.Where(probe => IsItsTurn(container, probe)))
                {
                    var left = _states[(container.Id, probe.Kind)].Due - Now;
                    if (left <= TimeSpan.Zero)
                        due.Add((container, probe));
                    else if (left < next)
                        next = left;
                }
            }
            return due;
        }
    }

    private bool IsItsTurn(ProbedContainer container, ContainerProbe probe)
    {
        var starting = container.Probes.Any(one => one.Kind == ProbeKind.Startup) && _states[(container.Id, ProbeKind.Startup)].Passes != true;
        return probe.Kind == ProbeKind.Startup ? starting : !starting;
    }

    private async ValueTask AskAsync((ProbedContainer Container, ContainerProbe Probe) one, CancellationToken cancellationToken)
    {
        var (container, probe) = one;
        string? problem;
        try
        {
            problem = await _call.AskAsync(probe, container.Id, container.Host, cancellationToken);
        }
        catch (PodmanException)
        {
            // podman itself is away: that says nothing about the container.
            Set(container, probe, state => state with { Due = Now + probe.Period });
            return;
        }
        var before = Of(container.Id);
        Set(container, probe, state => state.After(probe, problem, Now));
        if (Of(container.Id) != before)
            wake.Set();
    }

    private void Set(ProbedContainer container, ContainerProbe probe, Func<ProbeState, ProbeState> change)
    {
        lock (_lock)
        {
            // It may have been started anew meanwhile.
            if (_states.TryGetValue((container.Id, probe.Kind), out var state) && state.Run == container.Run)
                _states[(container.Id, probe.Kind)] = change(state);
        }
    }
}
