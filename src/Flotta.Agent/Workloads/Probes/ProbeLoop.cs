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
        // One that gets no answer for minutes keeps no other waiting.
        var asked = new List<Task>();
        try
        {
            while (Due(asked.Count, out var next) is { } due)
            {
                foreach (var (container, probe) in due)
                {
                    asked.Add(AskAsync(container, probe, cancellationToken));
                    _ = WakeAfterAsync(asked[^1]);
                }
                await _changed.WaitAsync(next, cancellationToken);
                foreach (var answered in asked.Where(one => one.IsCompleted).ToList())
                {
                    asked.Remove(answered);
                    await answered;
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        finally
        {
            await Task.WhenAll(asked).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Not from within the question: whoever wakes up is to find it answered.</summary>
    private async Task WakeAfterAsync(Task asked)
    {
        await asked.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _changed.Set();
    }

    /// <summary>Null when there is nothing to ask any more. A container that has not come up is asked nothing but that.</summary>
    /// <param name="asked">How many are being asked.</param>
    private List<(ProbedContainer Container, ContainerProbe Probe)>? Due(int asked, out TimeSpan next)
    {
        lock (_lock)
        {
            next = Longest;
            if (_containers.Count == 0 && asked == 0)
            {
                _running = null;
                return null;
            }
            var due = new List<(ProbedContainer, ContainerProbe)>();
            foreach (var container in _containers)
            {
                foreach (var probe in container.Probes.Where(probe => IsItsTurn(container, probe)))
                {
                    var state = _states[(container.Id, probe.Kind)];
                    var left = state.Due - Now;
                    if (left > TimeSpan.Zero)
                    {
                        next = left < next ? left : next;
                    }
                    else if (asked + due.Count < AtOnce)
                    {
                        due.Add((container, probe));
                        _states[(container.Id, probe.Kind)] = state with { Due = TimeSpan.MaxValue };
                    }
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

    private async Task AskAsync(ProbedContainer container, ContainerProbe probe, CancellationToken cancellationToken)
    {
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
