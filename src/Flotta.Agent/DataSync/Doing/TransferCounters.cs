namespace Flotta.Agent.DataSync;

/// <summary>What was transferred of one workload in one direction.</summary>
/// <param name="Direction">In the original's words: egress or ingress.</param>
/// <param name="Time">Each file's own, added up: what went at the same time counts several times.</param>
internal sealed record Transferred(string Workload, string Direction, long Files = 0, long Bytes = 0, TimeSpan Time = default);

/// <summary>Counts the files that really arrived, as long as the process lives.</summary>
internal sealed class TransferCounters
{
    public const string Egress = "egress";
    public const string Ingress = "ingress";
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Workload, string Direction), Transferred> _all = [];

    /// <summary>A snapshot.</summary>
    public IReadOnlyList<Transferred> All
    {
        get
        {
            lock (_lock)
                return [.. _all.Values];
        }
    }

    /// <summary>What is new is told of before anything arrived: who sees a counter first at 1 does not know that it grew. What is gone is forgotten.</summary>
    public void Follow(IReadOnlyList<WorkloadData> workloads)
    {
        var followed = workloads.SelectMany(Directions).ToHashSet();
        lock (_lock)
        {
            foreach (var gone in _all.Keys.Except(followed).ToList())
                _all.Remove(gone);
            foreach (var one in followed)
                _all.TryAdd(one, new Transferred(one.Workload, one.Direction));
        }
    }

    public void Count(string workload, string direction, long bytes, TimeSpan time)
    {
        lock (_lock)
        {
            var before = _all.GetValueOrDefault((workload, direction)) ?? new Transferred(workload, direction);
            _all[(workload, direction)] = before with { Files = before.Files + 1, Bytes = before.Bytes + bytes, Time = before.Time + time };
        }
    }

    private static IEnumerable<(string Workload, string Direction)> Directions(WorkloadData data)
    {
        if (data.Egress.Count > 0)
            yield return (data.Name, Egress);
        if (data.Ingress.Count > 0)
            yield return (data.Name, Ingress);
    }
}
