using System.Globalization;

namespace Flotta.Agent.Workloads;

/// <summary>
/// A new version is on trial until it has run on for a while; only then is it what the device goes back to. One that keeps ending, or is not up
/// by its deadline, gives way to the last good one. Decided anew at every look, so that neither a restart of the agent nor a change of mind waits for it.
/// </summary>
internal abstract record Trial
{
    /// <summary>Running on for this long, with nothing ended, is proof.</summary>
    public static readonly TimeSpan Proof = TimeSpan.FromSeconds(10);

    /// <summary>Not proven by then counts as failed, where there is something to go back to.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    /// <summary>Ended this often, each time started again, is no accident any more.</summary>
    private const int Ends = 2;

    public sealed record Passed : Trial;

    public sealed record Undecided(TimeSpan Until) : Trial;

    public sealed record Failed(string Why) : Trial;

    /// <param name="waitsFor">What is not well yet without being a failure.</param>
    public static Trial Of(ActualPod pod, ItemState state, string? problem, TimeSpan now, string? waitsFor = null)
    {
        if (state.UpSince is { } since && problem is null && now - since >= Proof)
            return new Passed();
        var began = state.TrialSince ?? now;
        if (problem is not null && state.UpSince is null && (state.Restarts >= Ends || pod.Containers.Any(container => container.FailedForGood(pod.RestartPolicy))))
            return new Failed(problem);
        if (now - began >= Deadline)
            return new Failed(problem ?? string.Create(CultureInfo.InvariantCulture, $"it was not up within {Deadline.TotalMinutes:0} minutes{(waitsFor is null ? "" : ": " + waitsFor)}"));
        var proven = state.UpSince + Proof ?? now + Proof;
        return new Undecided(proven < began + Deadline && proven > now ? proven : began + Deadline);
    }
}
