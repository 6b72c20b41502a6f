using System.Text.RegularExpressions;
using Flotta.Resources;

namespace Flotta.EdgeApi.Heartbeats;

/// <summary>The alarms of a heartbeat as conditions of the device: <c>alarm/NAME</c>, True while it is on. What the device does not speak of any more goes.</summary>
internal static partial class AlarmReport
{
    private const int Most = 20;

    public static IReadOnlyList<Condition>? Apply(IReadOnlyList<Condition>? conditions, IReadOnlyList<Wire.AlarmStatus>? alarms, DateTimeOffset now)
    {
        var named = (alarms ?? []).Where(alarm => alarm.Name is not null && Name().IsMatch(alarm.Name)).DistinctBy(alarm => alarm.Name, StringComparer.Ordinal).Take(Most).ToList();
        if (conditions?.Any(condition => IsGone(condition, named)) == true)
            conditions = [.. conditions.Where(condition => !IsGone(condition, named))];
        foreach (var alarm in named)
        {
            var condition = new Condition
            {
                Type = Names.DeviceConditions.AlarmPrefix + alarm.Name,
                Status = alarm.Active == true ? Names.ConditionStatus.True : Names.ConditionStatus.False,
                Reason = alarm.Active == true ? "AboveThreshold" : "BelowThreshold",
                Message = Report.Text(alarm.Message),
            };
            conditions = Conditions.Upsert(conditions, condition, now);
        }

        return conditions;
    }

    private static bool IsGone(Condition condition, List<Wire.AlarmStatus> named) =>
        condition.Type.StartsWith(Names.DeviceConditions.AlarmPrefix, StringComparison.Ordinal)
        && !named.Exists(alarm => condition.Type.AsSpan(Names.DeviceConditions.AlarmPrefix.Length).SequenceEqual(alarm.Name));

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?\\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Name();
}
