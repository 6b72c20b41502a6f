using Flotta.Resources;

namespace Flotta.Operator.Devices;

/// <summary>What a device's conditions say when the replica that it talked to is gone and no other has heard of it.</summary>
internal static class Silence
{
    public const string Reason = "EdgeApiGone";

    /// <summary>Null where there is nothing to change: the device was not connected, or has turned to another replica.</summary>
    public static IReadOnlyList<Condition>? Conditions(EdgeDevice device, string replica, DateTimeOffset now)
    {
        if (device.Status is not { } status || status.ConnectedTo != replica) return null;
        if (Resources.Conditions.Find(status.Conditions, Names.DeviceConditions.Connected) is not { Status: Names.ConditionStatus.True } connected) return null;
        var unknown = connected with
        {
            Status = Names.ConditionStatus.Unknown,
            Reason = Reason,
            Message = $"the Edge API replica {replica} that the device was connected to no longer answers",
        };
        return Resources.Conditions.Upsert(status.Conditions, unknown, now);
    }
}
