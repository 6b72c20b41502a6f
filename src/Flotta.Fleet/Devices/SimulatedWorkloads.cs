using Flotta.Wire;

namespace Flotta.Fleet.Devices;

/// <summary>
/// The workloads of one device: those that its configuration names, each of which is created, runs a little later, and now and then fails and recovers.
/// Time is what it is told.
/// </summary>
internal sealed class SimulatedWorkloads(DeviceSettings settings, Random random)
{
    public const string Degraded = "Degraded";

    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(5);

    private readonly SortedDictionary<string, State> _states = new(StringComparer.Ordinal);

    public int Count => _states.Count;

    /// <summary>Nothing fails any more; what has failed still recovers.</summary>
    public bool IsCalm { get; private set; }

    /// <summary>When <see cref="Advance"/> will change something; null when never.</summary>
    public TimeSpan? NextChange => _states.Values.Min(state => state.Due);

    public IReadOnlyList<WorkloadStatus> Statuses =>
        [.. _states.Select(one => new WorkloadStatus { Name = one.Key, Status = one.Value.Word, Reason = one.Value.Held is null ? null : "Held", Message = one.Value.Held })];

    /// <summary>What runs under a name that is still wanted goes on.</summary>
    public void Follow(IReadOnlyList<Workload> wanted, TimeSpan now)
    {
        foreach (var name in _states.Keys.Except(wanted.Select(one => one.Name!), StringComparer.Ordinal).ToList())
            _states.Remove(name);
        foreach (var workload in wanted)
        {
            if (_states.TryGetValue(workload.Name!, out var state) && state.Held == workload.Hold)
                continue;
            if (workload.Hold is not null)
                _states[workload.Name!] = new State(state?.Word ?? "Created", Due: null, workload.Hold);
            else if (settings.LongestStart == TimeSpan.Zero)
                _states[workload.Name!] = Running(now);
            else
                _states[workload.Name!] = new State("Created", now + (settings.LongestStart * random.NextDouble()));
        }
    }

    /// <summary>What became something else, and what it is now.</summary>
    public IReadOnlyList<(string Name, string Status)> Advance(TimeSpan now)
    {
        var due = _states.Where(one => one.Value.Due <= now).Select(one => one.Key).ToList();
        foreach (var name in due)
            _states[name] = _states[name].Word == "Running" ? new State(Degraded, now + Recovery) : Running(now);
        return [.. due.Select(name => (name, _states[name].Word))];
    }

    public void CalmDown()
    {
        IsCalm = true;
        foreach (var (name, state) in _states.Where(one => one.Value.Word == "Running").ToList())
            _states[name] = state with { Due = null };
    }

    // Failures come as failures do: at random, independent of one another.
    private State Running(TimeSpan now) =>
        new("Running", settings.TroubleEvery is { } every && !IsCalm ? now - (every * Math.Log(1 - random.NextDouble())) : null);

    private sealed record State(string Word, TimeSpan? Due, string? Held = null);
}
