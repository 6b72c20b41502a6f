using Flotta.Resources;

namespace Flotta.EdgeApi.Heartbeats;

/// <summary>What a device says about playbooks that were given to it: one condition of each type, of which one is True.</summary>
internal static class PlaybookReport
{
    public static IReadOnlyList<DevicePlaybook>? Apply(IReadOnlyList<DevicePlaybook>? known, IReadOnlyList<Wire.PlaybookExecutionStatus>? said, DateTimeOffset now)
    {
        if (known is not { Count: > 0 } || said is not { Count: > 0 })
            return known;
        return
        [
            .. known.Select(entry =>
            {
                var report = said.LastOrDefault(report => string.Equals(report.Name, entry.Name, StringComparison.Ordinal));
                return report?.Status is { Length: > 0 } type
                    ? entry with { PlaybookExecutionStatus = new PlaybookExecutionStatus { Conditions = Now(entry.PlaybookExecutionStatus?.Conditions, type, now) } }
                    : entry;
            }),
        ];
    }

    public static IReadOnlyList<PlaybookCondition> Now(IReadOnlyList<PlaybookCondition>? conditions, string type, DateTimeOffset now)
    {
        var others = (conditions ?? []).Select(condition => Is(condition, type) || condition.Status == Names.ConditionStatus.False
            ? condition
            : condition with { Status = Names.ConditionStatus.False, LastTransitionTime = now });
        var present = conditions?.FirstOrDefault(condition => Is(condition, type));
        if (present is { Status: Names.ConditionStatus.True })
            return [.. others];
        return [.. others.Where(condition => !Is(condition, type)), new PlaybookCondition { Type = type, Status = Names.ConditionStatus.True, LastTransitionTime = now }];
    }

    private static bool Is(PlaybookCondition condition, string type) => string.Equals(condition.Type, type, StringComparison.Ordinal);
}
