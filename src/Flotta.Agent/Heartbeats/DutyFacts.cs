using Flotta.Wire;

namespace Flotta.Agent.Heartbeats;

/// <summary>What duties have to say in every heartbeat, and what they want to know of them.</summary>
internal sealed class DutyFacts
{
    private volatile UpgradeStatus? _upgrade;
    private volatile IReadOnlyList<AlarmStatus>? _alarms;

    /// <summary>There is something to tell at once.</summary>
    public event Action? Changed;

    /// <summary>The server took a heartbeat.</summary>
    public event Action? Reached;

    public UpgradeStatus? Upgrade
    {
        get => _upgrade;
        set
        {
            if (_upgrade == value)
                return;
            _upgrade = value;
            Changed?.Invoke();
        }
    }

    /// <summary>Null where nothing is monitored.</summary>
    public IReadOnlyList<AlarmStatus>? Alarms
    {
        get => _alarms;
        set
        {
            var same = value is null ? _alarms is null : _alarms?.SequenceEqual(value) == true;
            _alarms = value;
            if (!same)
                Changed?.Invoke();
        }
    }

    public void OnReached() => Reached?.Invoke();
}
