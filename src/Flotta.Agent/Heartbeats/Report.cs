using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.Agent.Heartbeats;

/// <summary>What one heartbeat tells: a pure function from what is known to the message.</summary>
internal static class Report
{
    public static Heartbeat From(
        string? appliedVersion,
        string? configurationProblem,
        IReadOnlyList<WorkloadState> workloads,
        HardwareInfo? hardware,
        IReadOnlyList<DeviceEvent> events,
        IReadOnlyDictionary<string, DataState>? data = null) =>
        new()
        {
            Status = configurationProblem is not null || workloads.Any(workload => workload.Reason is not null)
                ? HeartbeatStatuses.Degraded
                : HeartbeatStatuses.Up,
            Version = appliedVersion ?? "",
            Workloads = [.. workloads.OrderBy(workload => workload.Name, StringComparer.Ordinal).Select(workload => Of(workload, data?.GetValueOrDefault(workload.Name)))],
            Hardware = hardware,
            Events = events,
        };

    /// <summary>That a workload does not run is more than that its data is late.</summary>
    private static WorkloadStatus Of(WorkloadState workload, DataState? data) => new()
    {
        Name = workload.Name,
        Status = workload.Phase,
        LastDataUpload = data?.LastUpload,
        Reason = workload.Reason ?? (data?.Problem is null ? null : DataState.Reason),
        Message = workload.Reason is null ? data?.Problem ?? workload.Message : workload.Message,
    };
}
