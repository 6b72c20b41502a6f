namespace Flotta.Agent.Workloads;

/// <summary>Events that wait for a heartbeat. Bounded: a device that is offline for months shall not fill its memory; the oldest go first.</summary>
internal sealed class PendingEvents
{
    private const int Most = 200;

    private readonly Lock _lock = new();
    private readonly LinkedList<WorkloadEvent> _events = [];

    public void Add(WorkloadEvent happened)
    {
        lock (_lock)
        {
            _events.AddLast(happened);
            if (_events.Count > Most)
                _events.RemoveFirst();
        }
    }

    public IReadOnlyList<WorkloadEvent> Take()
    {
        lock (_lock)
        {
            WorkloadEvent[] taken = [.. _events];
            _events.Clear();
            return taken;
        }
    }

    public void Return(IReadOnlyList<WorkloadEvent> events)
    {
        lock (_lock)
        {
            // Backwards, so that they stand before the newer ones in their old order.
            for (var at = events.Count - 1; at >= 0 && _events.Count < Most; at--)
                _events.AddFirst(events[at]);
        }
    }
}
