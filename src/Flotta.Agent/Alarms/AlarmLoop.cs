using Flotta.Agent.Duties;
using Flotta.Agent.Heartbeats;
using Flotta.Wire;

namespace Flotta.Agent.Alarms;

/// <summary>Watches what monitors of the configuration name. A heartbeat tells of an alarm when it begins and when it ends, not of every value.</summary>
internal sealed class AlarmLoop(DutyFacts facts, IDutyReport report, Gauges gauges, TimeProvider time)
{
    public const int MostMonitors = 20;

    /// <summary>The part of the configuration that concerns alarms; null when nothing is monitored.</summary>
    public static DeviceConfigurationMessage? Slice(DeviceConfigurationMessage configuration) => configuration.Configuration?.Monitors is { Count: > 0 } monitors
        ? new DeviceConfigurationMessage { Configuration = new DeviceConfiguration { Monitors = monitors } }
        : null;

    public async Task RunAsync(DeviceConfigurationMessage slice, CancellationToken cancellationToken)
    {
        var monitors = slice.Configuration!.Monitors!
            .Where(monitor => monitor.Name is { Length: > 0 } && monitor.Threshold is > 0 and <= 100 && MonitoredResources.IsKnown(monitor.Resource))
            .DistinctBy(monitor => monitor.Name, StringComparer.Ordinal)
            .Take(MostMonitors)
            .ToList();
        var alarms = monitors.ToDictionary(monitor => monitor.Name!, monitor => Alarm.Off(monitor, time.GetUtcNow()), StringComparer.Ordinal);
        var unmeasured = new HashSet<string>(StringComparer.Ordinal);
        var start = time.GetTimestamp();
        try
        {
            while (true)
            {
                var cpu = monitors.Exists(monitor => monitor.Resource == MonitoredResources.Cpu) ? gauges.Cpu() : null;
                foreach (var monitor in monitors)
                {
                    var percent = monitor.Resource switch
                    {
                        MonitoredResources.Cpu => cpu,
                        MonitoredResources.Memory => gauges.Memory(),
                        _ => Gauges.Disk(Alarm.Path(monitor)),
                    };
                    if (percent is { } value)
                        Look(monitor, value);
                    else if (monitor.Resource != MonitoredResources.Cpu && unmeasured.Add(monitor.Name!))
                        report.Warn("MonitorFailed", $"{monitor.Name}: {Alarm.What(monitor)} cannot be measured");
                }

                facts.Alarms = [.. alarms.Select(one => new AlarmStatus { Name = one.Key, Active = one.Value.Active, Message = one.Value.Message, Since = one.Value.Since })];
                await Task.Delay(Between(monitors), time, cancellationToken);
            }
        }
        finally
        {
            facts.Alarms = null;
        }

        void Look(ResourceMonitor monitor, double percent)
        {
            var before = alarms[monitor.Name!];
            var after = alarms[monitor.Name!] = before.Next(monitor, percent, time.GetElapsedTime(start), time.GetUtcNow());
            unmeasured.Remove(monitor.Name!);
            if (after.Active == before.Active)
                return;
            if (after.Active)
                report.Warn("AlarmRaised", $"{monitor.Name}: {after.Message}");
            else
                report.Info("AlarmCleared", $"{monitor.Name}: {after.Message}");
        }
    }

    /// <summary>A few looks within the shortest duration, and not more than one in a second.</summary>
    internal static TimeSpan Between(IReadOnlyList<ResourceMonitor> monitors) => monitors.Count == 0
        ? TimeSpan.FromMinutes(10)
        : TimeSpan.FromSeconds(Math.Clamp(monitors.Min(monitor => Alarm.Duration(monitor).TotalSeconds) / 4, 1, 15));
}
