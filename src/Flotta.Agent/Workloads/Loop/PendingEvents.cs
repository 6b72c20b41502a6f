namespace Flotta.Agent.Workloads;

/// <summary>Events until somebody takes them, which is at once; bounded all the same.</summary>
internal sealed class PendingEvents
{
    private const int Most = 200;

    private readonly Lock _lock = new();
    private readonly LinkedList<WorkloadEvent> _events = [];

    public bool IsEmpty
    {
        get
        {
            lock (_lock)
                return _events.Count == 0;
        }
    }

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
}
