using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Flotta.Wire;

namespace Flotta.Agent.Playbooks;

/// <summary>How an attempt ended.</summary>
internal sealed record Attempt(bool Succeeded, string? Reason, string? Message, IReadOnlyList<PlaybookTaskResult> Tasks);

/// <summary>
/// What follows from what is known of the executions: which is next, and what the end of one means for the others. Pure.
/// ExecuteOnce is started at most once, whatever happens to it. StopOnFailure as well, and when it fails the later playbooks of its config are not run.
/// RetryOnFailure is started again until it succeeds, at most <see cref="MostAttempts"/> times; being interrupted counts as failing.
/// </summary>
internal static class ExecutionPlan
{
    /// <summary>As many as Kubernetes gives a Job.</summary>
    public const int MostAttempts = 6;

    /// <summary>Of those that are done with, so that none of them is run again.</summary>
    public const int MostRemembered = 64;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMinutes(6);

    public static string KeyOf(PlaybookTask task) =>
        task.Uid is { Length: > 0 } uid ? uid : task.Name + "@" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(task.AnsiblePlaybookString ?? "")))[..16];

    public static bool IsWellFormed(PlaybookTask? task) => task is { Name.Length: > 0, AnsiblePlaybookString.Length: > 0 };

    /// <summary>After the server has told all that it wants run.</summary>
    public static IReadOnlyList<Execution> Delivered(IReadOnlyList<Execution> known, IReadOnlyList<PlaybookTask> tasks)
    {
        var wanted = tasks.Select(KeyOf).ToList();
        return Stopped(
        [
            .. Listed(known, wanted),
            .. tasks.Where(task => known.All(one => one.Key != KeyOf(task))).DistinctBy(KeyOf, StringComparer.Ordinal).Select(task => new Execution
            {
                Key = KeyOf(task),
                Name = task.Name!,
                Uid = task.Uid,
                Config = task.Config ?? task.Name!,
                Index = task.Index ?? 0,
                Options = task.Options ?? new PlaybookOptions(),
            }),
        ]);
    }

    /// <summary>What nobody wants any more is forgotten, unless it runs (it has to be stopped first) or ran (it must not run again, should an old list come).</summary>
    public static IReadOnlyList<Execution> Listed(IReadOnlyList<Execution> known, IReadOnlyCollection<string> wanted)
    {
        var kept = known
            .Select(one => one with { Listed = wanted.Contains(one.Key) })
            .Where(one => one.Listed || one.State != ExecutionState.Waiting)
            .Select(one => one is { Listed: false, HasEnded: true } ? one with { Told = true, Tasks = null } : one)
            .ToList();
        var surplus = kept.Count(IsRemembered) - MostRemembered;
        return [.. kept.Where(one => !IsRemembered(one) || surplus-- <= 0)];
    }

    /// <summary>Which may start now; null when none may.</summary>
    public static Execution? Next(IReadOnlyList<Execution> known, DateTimeOffset now) =>
        known.Any(one => one.State == ExecutionState.Running)
            ? null
            : known.FirstOrDefault(one => IsOpen(one) && Before(known, one).All(earlier => earlier.HasEnded || !earlier.Listed) && IsDue(one, now));

    /// <summary>When the first of those that wait for their time may start. One whose time has come waits for another, and that one's end is heard of.</summary>
    public static DateTimeOffset? NextAt(IReadOnlyList<Execution> known, DateTimeOffset now) => known.Where(one => IsOpen(one) && !IsDue(one, now)).Min(one => one.NotBefore);

    /// <summary>On disk before the first process of the attempt.</summary>
    public static IReadOnlyList<Execution> Started(IReadOnlyList<Execution> known, string key, string mark) =>
        Change(known, key, one => one with { State = ExecutionState.Running, Attempts = one.Attempts + 1, Mark = mark, NotBefore = null, Reason = null, Message = null, Tasks = null });

    public static IReadOnlyList<Execution> Ended(IReadOnlyList<Execution> known, string key, Attempt attempt, DateTimeOffset now)
    {
        var ended = known.Single(one => one.Key == key);
        ended = ended with { Mark = null, Reason = attempt.Reason, Message = attempt.Message, Tasks = attempt.Tasks };
        if (!attempt.Succeeded && ended.Listed && ended.Strategy == PlaybookStrategies.RetryOnFailure && ended.Attempts < MostAttempts)
            ended = ended with { State = ExecutionState.Waiting, NotBefore = now + PauseAfter(ended.Attempts) };
        else
            ended = ended with { State = attempt.Succeeded ? ExecutionState.Succeeded : ExecutionState.Failed };
        return Stopped([.. known.Select(one => one.Key == key ? ended : one)]);
    }

    /// <summary>After a start of the agent: nothing of before runs any more.</summary>
    public static IReadOnlyList<Execution> Recovered(IReadOnlyList<Execution> known, DateTimeOffset now)
    {
        foreach (var one in known.Where(one => one.State == ExecutionState.Running).ToList())
            known = Ended(known, one.Key, new Attempt(Succeeded: false, Reasons.Interrupted, "The agent or the machine was stopped while it ran; what it had changed by then stays.", []), now);
        return known;
    }

    /// <summary>What the server is told.</summary>
    /// <param name="ansible">Whether there is an ansible-playbook.</param>
    public static IReadOnlyList<PlaybookExecutionStatus> Statuses(IReadOnlyList<Execution> known, bool ansible, DateTimeOffset now) =>
        [.. known.Where(one => one.Listed).Select(one => Status(known, one, ansible, now))];

    /// <summary>After the server has taken what it was told.</summary>
    public static IReadOnlyList<Execution> Told(IReadOnlyList<Execution> known, IReadOnlyList<PlaybookExecutionStatus> told) =>
        [.. known.Select(one => one is { HasEnded: true, Told: false } && told.Any(status => status.Name == one.Name && status.Uid == one.Uid && status.Status == StatusOf(one)) ? one with { Told = true } : one)];

    private static PlaybookExecutionStatus Status(IReadOnlyList<Execution> known, Execution one, bool ansible, DateTimeOffset now)
    {
        var (reason, message) = Why(known, one, ansible, now);
        return new()
        {
            Name = one.Name,
            Uid = one.Uid,
            Status = StatusOf(one),
            LastDataUpload = DateTimeOffset.MinValue,
            Reason = reason,
            Message = message,
            Attempts = one.Attempts,
            Tasks = one.Told || one.Tasks is not { Count: > 0 } ? null : one.Tasks,
        };
    }

    private static (string? Reason, string? Message) Why(IReadOnlyList<Execution> known, Execution one, bool ansible, DateTimeOffset now) => one switch
    {
        { State: not ExecutionState.Waiting } => (one.Reason, one.Message),
        _ when !ansible => (Reasons.AnsibleMissing, "There is no ansible-playbook on this device. Install it (the package ansible-core); it is looked for again every minute."),
        { NotBefore: { } then } when !IsDue(one, now) => (Reasons.BackOff, string.Create(CultureInfo.InvariantCulture, $"Attempt {one.Attempts} of {MostAttempts} failed ({one.Reason}: {one.Message}); the next is at {then.UtcDateTime:u}.")),
        _ when Before(known, one).FirstOrDefault(earlier => !earlier.HasEnded && earlier.Listed) is { } earlier => (Reasons.WaitsForEarlier, $"{earlier.Name} comes first."),
        _ => (one.Reason, one.Message),
    };

    private static string StatusOf(Execution one) => one.State switch
    {
        ExecutionState.Succeeded => PlaybookStatuses.Succeeded,
        ExecutionState.Failed => PlaybookStatuses.Failed,
        ExecutionState.Running => PlaybookStatuses.Running,
        _ => PlaybookStatuses.Deploying,
    };

    // Where one has failed that stops its config, those after it will not run. Of each part its last run counts.
    private static IReadOnlyList<Execution> Stopped(IReadOnlyList<Execution> known) =>
    [
        .. known.Select(one => IsOpen(one) && LastBefore(known, one).FirstOrDefault(Stops) is { } earlier
            ? one with { State = ExecutionState.Failed, Reason = Reasons.EarlierFailed, Message = $"It was not run: {earlier.Name} failed, and its strategy is {PlaybookStrategies.StopOnFailure}.", NotBefore = null }
            : one),
    ];

    private static bool Stops(Execution one) => one is { State: ExecutionState.Failed, Strategy: PlaybookStrategies.StopOnFailure };

    private static IEnumerable<Execution> LastBefore(IReadOnlyList<Execution> known, Execution one) =>
        known.Where(other => other.Config == one.Config && other.Index < one.Index).GroupBy(other => other.Index).Select(runs => runs.Last());

    private static bool IsOpen(Execution one) => one is { State: ExecutionState.Waiting, Listed: true };

    // A time further away than any pause is one of before the clock was set back.
    private static bool IsDue(Execution one, DateTimeOffset now) => one.NotBefore is not { } then || then <= now || then > now + LastRetry;

    private static bool IsRemembered(Execution one) => one is { Listed: false, HasEnded: true };

    private static IEnumerable<Execution> Before(IReadOnlyList<Execution> known, Execution one) =>
        known.Where(other => other.Listed && other.Config == one.Config && other.Index < one.Index);

    private static TimeSpan PauseAfter(int attempts)
    {
        var pause = FirstRetry * Math.Pow(2, Math.Min(attempts - 1, 10));
        return pause > LastRetry ? LastRetry : pause;
    }

    private static IReadOnlyList<Execution> Change(IReadOnlyList<Execution> known, string key, Func<Execution, Execution> change) => [.. known.Select(one => one.Key == key ? change(one) : one)];
}
