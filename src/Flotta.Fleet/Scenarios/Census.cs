using Flotta.Fleet.Devices;
using Flotta.Fleet.Reports;
using Flotta.Wire;

namespace Flotta.Fleet.Scenarios;

/// <summary>Counts the fleet: who is in which phase, who is served, when the fleet was cut off and came back, who holds the workload that is being rolled out.</summary>
internal sealed class Census(TimeProvider time) : IFleetLog
{
    // A device that loses one request is no outage.
    private const double LeastShare = 0.05;

    private readonly Lock _lock = new();
    private readonly int[] _phases = new int[Enum.GetValues<DevicePhase>().Length];
    private readonly List<OutageReport> _outages = [];
    private long _events;
    private int _served;
    private int _before;
    private int _fewest;
    private DateTimeOffset _lostAt;
    private Rollout? _rollout;
    private (int Devices, TaskCompletionSource Reached)? _goal;

    /// <summary>Events that the server has taken.</summary>
    public long Events => Volatile.Read(ref _events);

    public int Served => Volatile.Read(ref _served);

    public IReadOnlyList<OutageReport> Outages
    {
        get
        {
            lock (_lock)
                return _before > 0 && IsOutage ? [.. _outages, Outage(ended: null)] : [.. _outages];
        }
    }

    private bool IsOutage => _before - _fewest >= Math.Max(1, _before * LeastShare);

    public int In(DevicePhase phase) => Volatile.Read(ref _phases[(int)phase]);

    public IReadOnlyDictionary<string, int> Phases() =>
        Enum.GetValues<DevicePhase>().Where(phase => In(phase) > 0).ToDictionary(phase => phase.ToString().ToLowerInvariant(), In, StringComparer.Ordinal);

    /// <summary>Ends when that many devices are served.</summary>
    public Task ReachesAsync(int devices)
    {
        lock (_lock)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_served >= devices)
                reached.SetResult();
            else
                _goal = (devices, reached);
            return reached.Task;
        }
    }

    public Rollout Expect(string workload, int devices)
    {
        lock (_lock)
            return _rollout = new Rollout(workload, devices, time);
    }

    public void Joined() => Interlocked.Increment(ref _phases[(int)DevicePhase.Off]);

    public void Moved(DevicePhase from, DevicePhase to)
    {
        Interlocked.Decrement(ref _phases[(int)from]);
        Interlocked.Increment(ref _phases[(int)to]);
    }

    public void Told(int events) => Interlocked.Add(ref _events, events);

    public void Heard(bool served)
    {
        lock (_lock)
        {
            if (!served)
            {
                if (_before == 0)
                    (_before, _fewest, _lostAt) = (_served, _served, time.GetUtcNow());
                _served--;
                _fewest = Math.Min(_fewest, _served);
                return;
            }

            _served++;
            if (_before > 0 && _served >= _before)
            {
                if (IsOutage)
                    _outages.Add(Outage(time.GetUtcNow()));
                _before = 0;
            }

            if (_goal is { } goal && _served >= goal.Devices)
            {
                _goal = null;
                goal.Reached.SetResult();
            }
        }
    }

    public void Configured(SimulatedDevice device, IReadOnlyList<Workload> workloads)
    {
        if (Volatile.Read(ref _rollout) is { } rollout && workloads.Any(one => one.Name == rollout.Workload))
            rollout.Holds(device);
    }

    private OutageReport Outage(DateTimeOffset? ended) =>
        new(_lostAt, ended, _before - _fewest, Math.Round(((ended ?? time.GetUtcNow()) - _lostAt).TotalSeconds, 2));
}
