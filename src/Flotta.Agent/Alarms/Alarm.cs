using Flotta.Wire;

namespace Flotta.Agent.Alarms;

/// <summary>One monitor's memory. Pure: what was, what is measured now, what follows.</summary>
/// <param name="Active">The alarm is on.</param>
/// <param name="Crossing">Since when the value has been on the other side of what ends this state; null while it is not.</param>
internal sealed record Alarm(bool Active, TimeSpan? Crossing, string Message, DateTimeOffset Since)
{
    public static Alarm Off(ResourceMonitor monitor, DateTimeOffset now) => new(false, null, $"{What(monitor)} is below {monitor.Threshold} %", now);

    /// <summary>On, when the value is at the threshold or above it for the whole duration; off, when it is below the lower mark for as long. In between nothing changes.</summary>
    /// <param name="clock">One that is never adjusted.</param>
    public Alarm Next(ResourceMonitor monitor, double percent, TimeSpan clock, DateTimeOffset now)
    {
        var crossed = Active ? percent < LowerMark(monitor) : percent >= monitor.Threshold;
        if (!crossed)
            return Crossing is null ? this : this with { Crossing = null };
        var since = Crossing ?? clock;
        if (clock - since < Duration(monitor))
            return this with { Crossing = since };
        var message = Active
            ? FormattableString.Invariant($"{What(monitor)} is at {percent:0} % and has been below {LowerMark(monitor)} % for {Duration(monitor).TotalSeconds:0} s")
            : FormattableString.Invariant($"{What(monitor)} is at {percent:0} % and has been at {monitor.Threshold} % or above for {Duration(monitor).TotalSeconds:0} s");
        return new Alarm(!Active, null, message, now);
    }

    public static TimeSpan Duration(ResourceMonitor monitor) => TimeSpan.FromSeconds(Math.Clamp(monitor.DurationSeconds ?? 60, 0, 86_400));

    public static int LowerMark(ResourceMonitor monitor) => Math.Clamp(monitor.ResetBelow ?? monitor.Threshold - 5, 0, monitor.Threshold);

    public static string What(ResourceMonitor monitor) => monitor.Resource switch
    {
        MonitoredResources.Cpu => "use of the CPU",
        MonitoredResources.Memory => "use of memory",
        _ => $"use of the disk at {Path(monitor)}",
    };

    public static string Path(ResourceMonitor monitor) => string.IsNullOrEmpty(monitor.Path) ? "/" : monitor.Path;
}
