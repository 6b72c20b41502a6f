using Flotta.Wire;

namespace Flotta.Agent.Desired;

/// <summary>A workload that is held comes with nothing but the reason. What runs under its name stays, and so does what belongs to it: its data, metrics, logs and open ports, as they were last asked for.</summary>
internal static class HeldWorkloads
{
    /// <returns>The same document where nothing is kept.</returns>
    public static DeviceConfigurationMessage Keep(DeviceConfigurationMessage document, DeviceConfigurationMessage? before)
    {
        var known = (before?.Workloads ?? []).Where(workload => !string.IsNullOrEmpty(workload.Name)).ToDictionary(workload => workload.Name!, StringComparer.Ordinal);
        var workloads = (document.Workloads ?? []).Select(workload => string.IsNullOrEmpty(workload.Hold) || !known.TryGetValue(workload.Name!, out var last) ? workload : Keep(workload, last)).ToList();
        return workloads.SequenceEqual(document.Workloads ?? []) ? document : document with { Workloads = workloads };
    }

    private static Workload Keep(Workload held, Workload last) => held with
    {
        Specification = held.Specification ?? last.Specification,
        Data = held.Data ?? last.Data,
        Metrics = held.Metrics ?? last.Metrics,
        LogCollection = held.LogCollection ?? last.LogCollection,
    };
}
