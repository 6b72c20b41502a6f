using System.Globalization;

namespace Flotta.Agent.Workloads;

/// <summary>Does a pod that is there have to be started again? As its restart policy says, with growing pauses.</summary>
internal sealed record Supervision(IReadOnlyList<Step> Steps, string? Reason = null, string? Message = null)
{
    public static Supervision Of(ActualPod pod, ItemState state, TimeSpan now)
    {
        if (pod.Containers.Any(container => container.Status == "paused"))
            return new([new Step.Keep("somebody paused it")], Reasons.Paused, "somebody paused it");
        var unhealthy = pod.Containers.Where(container => container.Unhealthy is not null).ToList();
        if (unhealthy.Count > 0)
        {
            var told = $"container {unhealthy[0].Name}: {unhealthy[0].Unhealthy}";
            return new([.. unhealthy.Select(container => new Step.StopContainer(container.Id, pod.GraceSeconds, told))], Reasons.Unhealthy, told);
        }
        var ended = pod.Containers.Where(container => container.Ended).ToList();
        var due = pod.Containers.Where(container => container.NeverRan || MustRun(container, pod.RestartPolicy)).ToList();
        if (due.Count == 0)
            return Resting(pod, ended, state, now);

        var why = Describe(due.Find(container => container.Ended) ?? due[0]);
        var failed = ended.Count > 0 && due.Exists(container => container.Ended);
        if (failed && now < state.RestartAt)
            return new([new Step.Wait(state.RestartAt, why)], Reasons.ContainerExited, why);
        // With its infra container down nothing of the pod runs, and init containers have to run again.
        IReadOnlyList<string> only = pod.InfraRunning && pod.Containers.Any(container => container.Running) ? [.. due.Select(container => container.Id)] : [];
        return new([new Step.Start(pod.Id, only, Again: failed, why)], failed ? Reasons.ContainerExited : null, failed ? why : null);
    }

    private static Supervision Resting(ActualPod pod, List<ActualContainer> ended, ItemState state, TimeSpan now)
    {
        if (ended.Find(container => container.ExitCode is not (null or 0)) is { } failed)
            return new([new Step.Keep("it has ended")], Reasons.ContainerExited, $"{Describe(failed)}; its restart policy is {pod.RestartPolicy}");
        if (ended.Count > 0 && ended.Count == pod.Containers.Count)
            return new([new Step.Keep("it has ended")], Reasons.Completed, "it has ended well");
        if (pod.Containers.FirstOrDefault(container => container.Unready is not null) is { } unready)
            return new([new Step.Keep("it is not ready")], Reasons.NotReady, $"container {unready.Name}: {unready.Unready}");
        return state.Unsettled(now)
            ? new([new Step.Keep("it runs again")], Reasons.ContainerExited, string.Create(CultureInfo.InvariantCulture, $"it ended and was started again {state.Restarts} times lately"))
            : new([new Step.Keep("it is as desired")]);
    }

    private static bool MustRun(ActualContainer container, RestartPolicy policy) =>
        container.Ended && policy switch
        {
            RestartPolicy.Always => true,
            RestartPolicy.OnFailure => container.ExitCode != 0,
            _ => false,
        };

    private static string Describe(ActualContainer container) => container switch
    {
        { NeverRan: true } => $"container {container.Name} has not run yet",
        { OutOfMemory: true } => $"container {container.Name} ran out of memory",
        { ExitCode: { } code } => string.Create(CultureInfo.InvariantCulture, $"container {container.Name} ended with code {code}"),
        _ => $"container {container.Name} has ended",
    };
}
