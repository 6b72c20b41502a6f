using Flotta.Wire;

namespace Flotta.Agent.Heartbeats;

/// <summary>What duties have to say in every heartbeat, and what they want to know of them.</summary>
internal sealed class DutyFacts
{
    private volatile UpgradeStatus? _upgrade;
    private volatile IReadOnlyList<AlarmStatus>? _alarms;
    private volatile IReadOnlyList<DeliveryStatus>? _deliveries;
    private readonly Dictionary<(string Kind, string Target), string?> _targets = [];
    private readonly Lock _lock = new();

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

    /// <summary>Null where nothing was sent yet.</summary>
    public IReadOnlyList<DeliveryStatus>? Deliveries => _deliveries;

    /// <param name="problem">Null once it arrives.</param>
    public void Delivers(string kind, string target, string? problem) => Change(() => _targets[(kind, target)] = problem);

    /// <summary>What was said of others of this kind counts no more.</summary>
    public void DeliversOnlyTo(string kind, IReadOnlyCollection<string> targets) => Change(() =>
    {
        foreach (var gone in _targets.Keys.Where(one => one.Kind == kind && !targets.Contains(one.Target)).ToList())
            _targets.Remove(gone);
    });

    private void Change(Action change)
    {
        lock (_lock)
        {
            change();
            List<DeliveryStatus> deliveries = [.. _targets.GroupBy(one => one.Key.Kind).OrderBy(kind => kind.Key, StringComparer.Ordinal).Select(kind => Of(kind.Key, kind))];
            if (deliveries.SequenceEqual(_deliveries ?? []))
                return;
            _deliveries = deliveries.Count == 0 ? null : deliveries;
        }

        Changed?.Invoke();
    }

    private static DeliveryStatus Of(string kind, IEnumerable<KeyValuePair<(string Kind, string Target), string?>> targets)
    {
        var problems = targets.Where(one => one.Value is not null).OrderBy(one => one.Key.Target, StringComparer.Ordinal).Select(one => $"{one.Key.Target}: {one.Value}").ToList();
        return new DeliveryStatus { Kind = kind, Delivered = problems.Count == 0, Message = problems.Count == 0 ? null : string.Join("; ", problems) };
    }

    public void OnReached() => Reached?.Invoke();
}
