using System.Globalization;
using Flotta.EdgeApi.Hardware;
using Flotta.EdgeApi.Statuses;
using Flotta.Resources;

namespace Flotta.EdgeApi.Heartbeats;

/// <summary>What a heartbeat makes of a device's object. Pure; a heartbeat that says nothing new gives back what was there.</summary>
internal static class Report
{
    private const int LongestText = 1024;

    public static EdgeDevice Apply(EdgeDevice device, Wire.Heartbeat heartbeat, ReportContext context)
    {
        var status = Presence.Here(device.StatusOf(), context.Replica, context.Now);
        var workloads = WorkloadReport.Apply(status.Workloads, heartbeat.Workloads, context);
        status = status with
        {
            Phase = Text(heartbeat.Status),
            LastSyncedResourceVersion = Text(heartbeat.Version),
            Workloads = workloads,
            UpgradeInformation = Upgrade(heartbeat.Upgrade),
            PlaybookExec = PlaybookReport.Apply(status.PlaybookExec, heartbeat.PlaybookExecutions, context.Now),
        };
        var conditions = AlarmReport.Apply(WithConditions(status.Conditions, device, heartbeat.Version, workloads, context), heartbeat.Alarms, context.Now);
        status = status with { Conditions = DeliveryReport.Apply(conditions, heartbeat.Deliveries, context.Now) };
        if (heartbeat.Hardware is not { } said)
            return device with { Status = status };
        if (context.HardwareIsKnown)
            return (device with { Status = status }).WithLabels(HardwareFacts.Labels(HardwareFacts.Merge(null, said)));
        var hardware = HardwareFacts.Merge(status.Hardware, said);
        return (device with { Status = status with { Hardware = hardware } }).WithLabels(HardwareFacts.Labels(hardware));
    }

    private static IReadOnlyList<Condition>? WithConditions(
        IReadOnlyList<Condition>? conditions, EdgeDevice device, string? applied, IReadOnlyList<DeviceWorkload>? workloads, ReportContext context)
    {
        if (context.Version != null)
            conditions = Conditions.Upsert(conditions, UpToDate(device, applied, context), context.Now);
        return Conditions.Upsert(conditions, WorkloadReport.Ready(workloads), context.Now);
    }

    private static Condition UpToDate(EdgeDevice device, string? applied, ReportContext context)
    {
        var condition = new Condition { Type = Names.DeviceConditions.UpToDate, ObservedGeneration = device.Metadata.Generation };
        if (context.Problem is { } problem)
            return condition with { Status = Names.ConditionStatus.False, Reason = "Misconfigured", Message = Text(problem) };
        return string.Equals(applied, context.Version, StringComparison.Ordinal)
            ? condition with { Status = Names.ConditionStatus.True, Reason = "Applied", Message = "The device has applied its configuration" }
            : condition with { Status = Names.ConditionStatus.False, Reason = "Pending", Message = "The device has not applied its present configuration yet" };
    }

    private static UpgradeInformation? Upgrade(Wire.UpgradeStatus? upgrade) => upgrade == null ? null : new UpgradeInformation
    {
        CurrentCommitId = Text(upgrade.CurrentCommitId) ?? "",
        LastUpgradeStatus = Text(upgrade.LastUpgradeStatus),
        LastUpgradeTime = Text(upgrade.LastUpgradeTime),
    };

    internal static string? Text(string? text) => string.IsNullOrEmpty(text) ? null : text.Length <= LongestText ? text : text[..LongestText];

    internal static string Count(int count, string one, string many) => count == 1 ? "1 " + one : count.ToString(CultureInfo.InvariantCulture) + " " + many;
}
