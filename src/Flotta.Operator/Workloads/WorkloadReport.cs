using Flotta.Resources;
using Flotta.Resources.Validation;

namespace Flotta.Operator.Workloads;

/// <summary>A workload's status: on how many devices it is and runs, and what is wrong with it if anything is.</summary>
internal static class WorkloadReport
{
    public const string Accepted = "Accepted";

    public static EdgeWorkloadStatus For(EdgeWorkload workload, IEnumerable<EdgeDevice> devices, DateTimeOffset now)
    {
        var entries = devices
            .SelectMany(device => device.Status?.Workloads ?? [])
            .Where(entry => entry.Name == workload.Metadata.Name)
            .ToList();
        var errors = EdgeWorkloadValidation.Errors(workload);
        var accepted = new Condition
        {
            Type = Accepted,
            Status = errors.Count == 0 ? Names.ConditionStatus.True : Names.ConditionStatus.False,
            Reason = errors.Count == 0 ? "Valid" : "Invalid",
            Message = errors.Count == 0 ? null : string.Join("; ", errors),
            ObservedGeneration = workload.Metadata.Generation,
        };
        return new()
        {
            Devices = entries.Count,
            Running = entries.Count(entry => entry.Phase == Names.WorkloadPhases.Running),
            Conditions = Conditions.Upsert(workload.Status?.Conditions, accepted, now),
        };
    }

    public static bool Same(EdgeWorkloadStatus? one, EdgeWorkloadStatus other) =>
        one is not null
        && one.Devices == other.Devices
        && one.Running == other.Running
        && (one.Conditions ?? []).SequenceEqual(other.Conditions ?? []);
}
