namespace Flotta.Agent.Workloads;

/// <summary>What heartbeats say of the workloads: derived from the last plan, remembered only for the time of the last change.</summary>
internal static class Reports
{
    public static IReadOnlyList<WorkloadState> Of(
        IReadOnlyList<DesiredPod> desired,
        IReadOnlyList<ActualPod> actual,
        Func<string, WorkloadPlan?> plan,
        Func<string, string?> pulling,
        IReadOnlyList<WorkloadState> before,
        DateTimeOffset wallClock)
    {
        var reports = new List<WorkloadState>();
        foreach (var wanted in desired)
        {
            var phase = actual.FirstOrDefault(pod => pod.IsOf(wanted.Name))?.Status ?? Phases.Deploying;
            var (reason, message) = pulling(wanted.Name) is { } activity ? (Reasons.Pulling, activity) : (plan(wanted.Name)?.Reason, plan(wanted.Name)?.Message);
            var old = before.FirstOrDefault(report => report.Name == wanted.Name);
            reports.Add(new WorkloadState(wanted.Name, phase, reason, message, old?.Phase == phase ? old.LastTransition : wallClock));
        }
        return reports;
    }

    /// <summary>podman cannot be asked: what was known stays, with the reason beside it.</summary>
    public static IReadOnlyList<WorkloadState> Unavailable(IReadOnlyList<DesiredPod> desired, IReadOnlyList<WorkloadState> before, string message, DateTimeOffset wallClock) =>
    [
        .. desired.Select(wanted =>
        {
            var old = before.FirstOrDefault(report => report.Name == wanted.Name) ?? new WorkloadState(wanted.Name, Phases.Deploying, null, null, wallClock);
            return old with { Reason = Reasons.PodmanUnavailable, Message = message };
        }),
    ];
}
