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
        IReadOnlyList<DeviceEvent> events) =>
        new()
        {
            Status = configurationProblem is not null || workloads.Any(workload => workload.Reason is not null)
                ? HeartbeatStatuses.Degraded
                : HeartbeatStatuses.Up,
            Version = appliedVersion ?? "",
            Workloads = [.. workloads.OrderBy(workload => workload.Name, StringComparer.Ordinal).Select(Of)],
            Hardware = hardware,
            Events = events,
        };

    private static WorkloadStatus Of(WorkloadState workload) =>
        new() { Name = workload.Name, Status = workload.Phase, Reason = workload.Reason, Message = workload.Message };
}
