using Flotta.Resources;

namespace Flotta.Operator.Enrolment;

/// <summary>A request's conditions: one of each type at most, and one of them true.</summary>
internal static class EnrolmentConditions
{
    public static IReadOnlyList<EnrolmentCondition> Now(EdgeDeviceSignedRequest request, string type, string message, DateTimeOffset now) =>
        Set(Of(request), now, (type, message));

    public static IReadOnlyList<EnrolmentCondition> Blocked(EdgeDeviceSignedRequest request, string why, DateTimeOffset now)
    {
        var conditions = Set(Of(request), now, (Names.EnrolmentConditions.Pending, why));
        return Upsert(conditions, new() { Type = Names.EnrolmentConditions.Approved, Status = Names.ConditionStatus.False, Message = why }, now);
    }

    private static IReadOnlyList<EnrolmentCondition> Of(EdgeDeviceSignedRequest request) => request.Status?.Conditions ?? [];

    private static IReadOnlyList<EnrolmentCondition> Set(IReadOnlyList<EnrolmentCondition> before, DateTimeOffset now, (string Type, string Message) holds)
    {
        // The original appended a condition at every restart, in lower case; the last of a type is the one that counted.
        IReadOnlyList<EnrolmentCondition> conditions = [.. before.GroupBy(condition => condition.Type, StringComparer.Ordinal).Select(same => same.Last())];
        foreach (var other in conditions.Where(condition => condition.Type != holds.Type))
            conditions = Upsert(conditions, other with { Status = Names.ConditionStatus.False }, now);
        return Upsert(conditions, new() { Type = holds.Type, Status = Names.ConditionStatus.True, Message = holds.Message }, now);
    }

    private static IReadOnlyList<EnrolmentCondition> Upsert(IReadOnlyList<EnrolmentCondition> conditions, EnrolmentCondition condition, DateTimeOffset now)
    {
        var before = conditions.FirstOrDefault(other => other.Type == condition.Type);
        var same = string.Equals(before?.Status, condition.Status, StringComparison.OrdinalIgnoreCase);
        var after = condition with { LastTransitionTime = (same ? before!.LastTransitionTime : null) ?? now };
        return before is null ? [.. conditions, after] : [.. conditions.Select(other => ReferenceEquals(other, before) ? after : other)];
    }
}
