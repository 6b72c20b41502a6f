using Flotta.Resources;

namespace Flotta.Operator.DeviceSets;

/// <summary>A set's status: how many devices are in it, how many of them are as it wants them, and why not.</summary>
internal static class DeviceSetReport
{
    private const int Named = 3;

    public static EdgeDeviceSetStatus For(EdgeDeviceSet set, IReadOnlyList<EdgeDevice> members, DateTimeOffset now)
    {
        var behind = members.Where(device => !Is(device, Names.DeviceConditions.UpToDate)).OrderBy(device => device.Metadata.Name, StringComparer.Ordinal).ToList();
        var condition = new Condition
        {
            Type = Names.DeviceConditions.UpToDate,
            Status = behind.Count == 0 ? Names.ConditionStatus.True : Names.ConditionStatus.False,
            Reason = members.Count == 0 ? "NoDevices" : behind.Count == 0 ? "AllUpToDate" : "NotUpToDate",
            Message = behind.Count == 0 ? null : Describe(behind),
            ObservedGeneration = set.Metadata.Generation,
        };
        return new()
        {
            Devices = members.Count,
            Connected = members.Count(device => Is(device, Names.DeviceConditions.Connected)),
            UpToDate = members.Count - behind.Count,
            Conditions = Conditions.Upsert(set.Status?.Conditions, condition, now),
        };
    }

    public static bool Same(EdgeDeviceSetStatus? one, EdgeDeviceSetStatus other) =>
        one is not null && one.Devices == other.Devices && one.Connected == other.Connected && one.UpToDate == other.UpToDate
        && (one.Conditions ?? []).SequenceEqual(other.Conditions ?? []);

    private static bool Is(EdgeDevice device, string type) => Conditions.Find(device.Status?.Conditions, type)?.Status == Names.ConditionStatus.True;

    private static string Describe(List<EdgeDevice> behind)
    {
        var named = behind.Take(Named).Select(device => $"{device.Metadata.Name}: {Why(device)}");
        var more = behind.Count > Named ? $"; and {behind.Count - Named} more" : "";
        return string.Join("; ", named) + more;
    }

    private static string Why(EdgeDevice device) =>
        !Is(device, Names.DeviceConditions.Connected) ? "not connected" : Conditions.Find(device.Status?.Conditions, Names.DeviceConditions.UpToDate)?.Message ?? "has not reported yet";
}
