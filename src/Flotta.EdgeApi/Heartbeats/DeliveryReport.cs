using Flotta.Resources;
using Flotta.Wire;
using Condition = Flotta.Resources.Condition;

namespace Flotta.EdgeApi.Heartbeats;

/// <summary>Whether what a device sends to others arrives, as conditions of the device. What it does not speak of any more goes.</summary>
internal static class DeliveryReport
{
    private static readonly (string Kind, string Type)[] Kinds =
    [
        (DeliveryKinds.Metrics, Names.DeviceConditions.MetricsDelivered),
        (DeliveryKinds.Logs, Names.DeviceConditions.LogsDelivered),
    ];

    public static IReadOnlyList<Condition>? Apply(IReadOnlyList<Condition>? conditions, IReadOnlyList<DeliveryStatus>? deliveries, DateTimeOffset now)
    {
        foreach (var (kind, type) in Kinds)
        {
            if (deliveries?.FirstOrDefault(one => one?.Kind == kind) is { Delivered: { } delivered } said)
            {
                var condition = new Condition
                {
                    Type = type,
                    Status = delivered ? Names.ConditionStatus.True : Names.ConditionStatus.False,
                    Reason = delivered ? "Delivered" : "Unreachable",
                    Message = Report.Text(said.Message),
                };
                conditions = Conditions.Upsert(conditions, condition, now);
            }
            else if (conditions?.Any(condition => condition.Type == type) == true)
            {
                conditions = [.. conditions.Where(condition => condition.Type != type)];
            }
        }

        return conditions;
    }
}
