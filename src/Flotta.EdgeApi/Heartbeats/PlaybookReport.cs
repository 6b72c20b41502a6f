using Flotta.EdgeApi.Playbooks;
using Flotta.Resources;

namespace Flotta.EdgeApi.Heartbeats;

/// <summary>What a device says about playbooks that were given to it: one condition of each type, of which one is True.</summary>
internal static class PlaybookReport
{
    private const int MostTasks = 64;

    public static IReadOnlyList<DevicePlaybook>? Apply(IReadOnlyList<DevicePlaybook>? known, IReadOnlyList<Wire.PlaybookExecutionStatus>? said, DateTimeOffset now)
    {
        if (known is not { Count: > 0 } || said is not { Count: > 0 })
            return known;
        return
        [
            .. known.Select(entry =>
            {
                var report = said.LastOrDefault(report => PlaybookNames.Means(report.Name, entry.Name));
                return Of(report) is { } condition
                    ? entry with { PlaybookExecutionStatus = new PlaybookExecutionStatus { Conditions = Now(entry.PlaybookExecutionStatus?.Conditions, condition, now) } }
                    : entry;
            }),
        ];
    }

    /// <summary>What a device says, as the condition that is True now; null where it says nothing.</summary>
    public static PlaybookCondition? Of(Wire.PlaybookExecutionStatus? report) =>
        Report.Text(report?.Status) is { } type ? new PlaybookCondition { Type = type, Reason = Report.Text(report!.Reason), Message = Report.Text(report.Message) } : null;

    public static IReadOnlyList<PlaybookCondition> Now(IReadOnlyList<PlaybookCondition>? conditions, PlaybookCondition holds, DateTimeOffset now)
    {
        var others = (conditions ?? []).Select(condition => condition.Status == Names.ConditionStatus.False || Is(condition, holds.Type)
            ? condition
            : condition with { Status = Names.ConditionStatus.False, LastTransitionTime = now });
        var present = conditions?.FirstOrDefault(condition => Is(condition, holds.Type));
        if (present is { Status: Names.ConditionStatus.True })
            return [.. others.Select(condition => Is(condition, holds.Type) ? condition with { Reason = holds.Reason, Message = holds.Message } : condition)];
        return [.. others.Where(condition => !Is(condition, holds.Type)), holds with { Status = Names.ConditionStatus.True, LastTransitionTime = now }];
    }

    /// <summary>The status of an execution after a report; the same object where it says nothing new.</summary>
    public static PlaybookExecutionStatus? Apply(PlaybookExecutionStatus? status, Wire.PlaybookExecutionStatus said, DateTimeOffset now)
    {
        if (Of(said) is not { } condition)
            return status;
        var conditions = Now(status?.Conditions, condition, now);
        var tasks = said.Tasks is { } told ? [.. told.Take(MostTasks).Select(Of)] : status?.Tasks;
        var attempts = said.Attempts is >= 0 ? said.Attempts : status?.Attempts;
        return status != null && conditions.SequenceEqual(status.Conditions ?? []) && attempts == status.Attempts && (tasks ?? []).SequenceEqual(status.Tasks ?? [])
            ? status
            : new PlaybookExecutionStatus { Conditions = conditions, Attempts = attempts, Tasks = tasks };
    }

    private static PlaybookTaskResult Of(Wire.PlaybookTaskResult task) => new() { Name = Report.Text(task.Name) ?? "", Outcome = Report.Text(task.Outcome), Message = Report.Text(task.Message) };

    private static bool Is(PlaybookCondition condition, string type) => string.Equals(condition.Type, type, StringComparison.Ordinal);
}
