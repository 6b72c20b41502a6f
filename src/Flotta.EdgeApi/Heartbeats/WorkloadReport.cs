using Flotta.Resources;

namespace Flotta.EdgeApi.Heartbeats;

/// <summary>
/// The workloads of a device's status. The Operator adds and removes entries; we fill them in, and add one only for a workload that belongs on the device and that
/// the Operator has not come to yet. An entry that the device does not mention stays as it is.
/// </summary>
internal static class WorkloadReport
{
    private const int Named = 3;

    public static IReadOnlyList<DeviceWorkload>? Apply(IReadOnlyList<DeviceWorkload>? known, IReadOnlyList<Wire.WorkloadStatus>? said, ReportContext context)
    {
        if (said is not { Count: > 0 })
            return known;
        var entries = (known ?? []).ToList();
        foreach (var report in said)
        {
            if (string.IsNullOrEmpty(report.Name))
                continue;
            var at = entries.FindIndex(entry => string.Equals(entry.Name, report.Name, StringComparison.Ordinal));
            if (at >= 0)
                entries[at] = Apply(entries[at], report, context.Now);
            else if (context.IsPlaced(report.Name))
                entries.Add(Apply(new DeviceWorkload { Name = report.Name }, report, context.Now));
        }

        return entries.Count == 0 ? known : entries;
    }

    /// <summary>Whether everything runs, and if not, the first few that do not and why.</summary>
    public static Condition Ready(IReadOnlyList<DeviceWorkload>? workloads)
    {
        var condition = new Condition { Type = Names.DeviceConditions.WorkloadsReady };
        if (workloads is not { Count: > 0 })
            return condition with { Status = Names.ConditionStatus.True, Reason = "NoWorkloads", Message = "No workload is assigned to the device" };
        var waiting = workloads.Where(workload => workload.Phase != Names.WorkloadPhases.Running).OrderBy(workload => workload.Name, StringComparer.Ordinal).ToList();
        if (waiting.Count == 0)
            return condition with { Status = Names.ConditionStatus.True, Reason = "AllRunning", Message = Report.Count(workloads.Count, "workload runs", "workloads run") };
        var what = string.Join("; ", waiting.Take(Named).Select(Describe));
        var more = waiting.Count > Named ? $"; and {waiting.Count - Named} more" : "";
        return condition with { Status = Names.ConditionStatus.False, Reason = "NotRunning", Message = Report.Text(what + more) };
    }

    private static string Describe(DeviceWorkload workload)
    {
        var why = workload.Message ?? workload.Reason;
        return why == null ? $"{workload.Name} is {workload.Phase}" : $"{workload.Name} is {workload.Phase}: {why}";
    }

    private static DeviceWorkload Apply(DeviceWorkload entry, Wire.WorkloadStatus report, DateTimeOffset now)
    {
        var phase = Report.Text(report.Status) ?? entry.Phase;
        return entry with
        {
            Phase = phase,
            LastTransitionTime = string.Equals(phase, entry.Phase, StringComparison.Ordinal) ? entry.LastTransitionTime : now,
            Reason = Report.Text(report.Reason),
            Message = Report.Text(report.Message),
            // The zero time of Go programs says that there was none.
            LastDataUpload = report.LastDataUpload is { Year: > 1 } upload ? upload : entry.LastDataUpload,
        };
    }
}
