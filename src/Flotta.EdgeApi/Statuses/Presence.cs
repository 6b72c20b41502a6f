using System.Globalization;
using Flotta.Resources;

namespace Flotta.EdgeApi.Statuses;

/// <summary>What a device's status says about whether it is there. Written when that changes, and otherwise every ten minutes.</summary>
internal static class Presence
{
    public static readonly TimeSpan WriteEvery = TimeSpan.FromMinutes(10);

    public static bool IsConnected(EdgeDeviceStatus? status) =>
        Conditions.Find(status?.Conditions, Names.DeviceConditions.Connected)?.Status == Names.ConditionStatus.True;

    public static bool IsConnectedTo(EdgeDeviceStatus? status, string replica) => IsConnected(status) && string.Equals(status?.ConnectedTo, replica, StringComparison.Ordinal);

    /// <summary>
    /// The device has just been heard of. One whose requests reach several replicas in turn moves only when ten minutes are over, but for the first time that a replica hears
    /// of it (<paramref name="comes"/>): the one that it left would otherwise take it for silent.
    /// </summary>
    public static EdgeDeviceStatus Here(EdgeDeviceStatus status, string replica, DateTimeOffset now, bool comes = false)
    {
        var fresh = status.LastSeenTime is { } seen && now - seen < WriteEvery && seen <= now;
        var elsewhere = string.IsNullOrEmpty(status.ConnectedTo) || (comes && !string.Equals(status.ConnectedTo, replica, StringComparison.Ordinal));
        if (IsConnected(status) && fresh && !elsewhere)
            return status;
        return status with
        {
            LastSeenTime = now,
            ConnectedTo = replica,
            Conditions = Conditions.Upsert(
                status.Conditions,
                new Condition { Type = Names.DeviceConditions.Connected, Status = Names.ConditionStatus.True, Reason = "HeardOf", Message = "The device talks to the Edge API" },
                now),
        };
    }

    /// <summary>The device has been silent for too long. Not our word to say when another replica has it.</summary>
    public static EdgeDeviceStatus Silent(EdgeDeviceStatus status, string replica, DateTimeOffset lastSeen, DateTimeOffset now)
    {
        if (!IsConnectedTo(status, replica))
            return status;
        var message = string.Create(CultureInfo.InvariantCulture, $"Nothing has been heard of the device since {lastSeen.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}");
        return status with
        {
            LastSeenTime = lastSeen,
            Conditions = Conditions.Upsert(
                status.Conditions,
                new Condition { Type = Names.DeviceConditions.Connected, Status = Names.ConditionStatus.False, Reason = "Silent", Message = message },
                now),
        };
    }
}
