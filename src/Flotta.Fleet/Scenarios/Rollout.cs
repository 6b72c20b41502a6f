using System.Collections.Concurrent;
using Flotta.Fleet.Devices;
using Flotta.Fleet.Reports;

namespace Flotta.Fleet.Scenarios;

/// <summary>One workload on its way to a number of devices, from the moment that this was made.</summary>
internal sealed class Rollout(string workload, int devices, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, byte> _holders = new(StringComparer.Ordinal);
    private readonly Histogram _latency = new();
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _began = time.GetTimestamp();

    public string Workload => workload;

    public Task All => _all.Task;

    public void Holds(SimulatedDevice device)
    {
        if (!_holders.TryAdd(device.Id, 0))
            return;
        _latency.Record(time.GetElapsedTime(_began));
        if (_holders.Count >= devices)
            _all.TrySetResult();
    }

    public RolloutReport Report() => new(workload, _holders.Count, Math.Round(_latency.Largest.TotalSeconds, 3), _latency.Report());
}
