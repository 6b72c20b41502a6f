using Flotta.Wire;

namespace Flotta.Agent.Heartbeats;

/// <summary>Events of the agent itself, kept until a heartbeat that carried them was answered. Bounded; what is dropped is counted and said.</summary>
internal sealed class EventQueue(int most = 100)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<DeviceEvent> _waiting = [];
    private int _dropped;

    public void Add(string reason, string message, string type)
    {
        lock (_lock)
        {
            _waiting.AddLast(new DeviceEvent { Reason = reason, Message = message, Type = type });
            Trim();
        }
    }

    public IReadOnlyList<DeviceEvent> Take()
    {
        lock (_lock)
        {
            List<DeviceEvent> taken = [.. _waiting];
            if (_dropped > 0)
                taken.Insert(0, new DeviceEvent { Reason = "EventsDropped", Message = $"{_dropped} earlier events were dropped while the server could not be reached", Type = EventTypes.Warn });
            _waiting.Clear();
            _dropped = 0;
            return taken;
        }
    }

    /// <summary>What could not be told goes back in front.</summary>
    public void Return(IReadOnlyList<DeviceEvent> events)
    {
        lock (_lock)
        {
            foreach (var one in events.Reverse())
                _waiting.AddFirst(one);
            Trim();
        }
    }

    private void Trim()
    {
        while (_waiting.Count > most)
        {
            _waiting.RemoveFirst();
            _dropped++;
        }
    }
}
