namespace Flotta.Agent.Workloads;

/// <summary>What people are told as an event: a failure once, however often it is tried, and that it is over.</summary>
internal static class Announcements
{
    /// <summary>The state with what has been told in it, and the event to send, if any.</summary>
    public static (ItemState State, WorkloadEvent? Event) Of(WorkloadPlan plan, ActualPod? pod, ItemState state, TimeSpan now)
    {
        if (Reasons.IsFailure(plan.Reason) && IsNews(plan, state))
        {
            var key = $"{plan.Reason}: {Shape(plan.Message)}";
            return key == state.Announced ? (state, null) : (state with { Announced = key }, new WorkloadEvent(plan.Reason!, $"{plan.Workload}: {plan.Message}", "warn"));
        }
        if (state.Announced is null || Reasons.IsFailure(plan.Reason) || plan.HasWork || !IsWell(pod, state, now))
            return (state, null);
        return (state with { Announced = null }, new WorkloadEvent(Reasons.Recovered, $"{plan.Workload}: it is as desired again", "info"));
    }

    /// <summary>When a recovery will be known, if nothing happens until then.</summary>
    public static TimeSpan? RecoveryAt(ItemState state) => state is { Announced: not null, UpSince: { } since } ? since + ItemState.Settled : null;

    // Somebody who stops a container by hand, or one crash in a long life, is no news: it is started again at once.
    private static bool IsNews(WorkloadPlan plan, ItemState state) =>
        plan.Reason != Reasons.ContainerExited
        || (state.UpSince is null && (state.Restarts > 0 || !plan.Steps.Any(step => step is Step.Start or Step.Wait)));

    private static bool IsWell(ActualPod? pod, ItemState state, TimeSpan now)
    {
        if (pod is null || state.UpSince is not { } since)
            return false;
        return !state.Announced!.StartsWith(Reasons.ContainerExited, StringComparison.Ordinal) || now - since >= ItemState.Settled;
    }

    // Ephemeral ports, ids and counters differ from try to try.
    private static string Shape(string? message) => new([.. (message ?? "").Where(letter => !char.IsAsciiHexDigit(letter) || letter is > '9')]);
}
