using Flotta.Fleet.Devices;
using Flotta.Fleet.Reports;

namespace Flotta.Fleet.Scenarios;

/// <summary>A line now and then for who watches: every second at first, every ten when it takes longer.</summary>
internal sealed class Progress(Fleet fleet, FleetOptions options, TextWriter writer, TimeProvider time)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var (before, beforeAt) = (0L, TimeSpan.Zero);
        while (true)
        {
            await Task.Delay(TimeSpan.FromSeconds(time.GetElapsedTime(began) < TimeSpan.FromSeconds(10) ? 1 : 10), time, cancellationToken);
            var now = time.GetElapsedTime(began);
            var (requests, errors) = fleet.Statistics.Totals();
            var perSecond = Math.Max(0, requests - before) / (now - beforeAt).TotalSeconds;
            (before, beforeAt) = (requests, now);
            await writer.WriteLineAsync(
                $"{now.TotalSeconds,5:0} s  {options.Scenario}  off {In(DevicePhase.Off)} enrolling {In(DevicePhase.Enrolling)} waiting {In(DevicePhase.Waiting)} "
                + $"registering {In(DevicePhase.Registering)} registered {In(DevicePhase.Registered)} served {fleet.Census.Served}  "
                + $"{perSecond:0} requests/s, {errors} errors, heartbeat p99 {fleet.Statistics.Quantile(RequestKind.Heartbeat, 0.99).TotalMilliseconds:0.0} ms");
        }

        int In(DevicePhase phase) => fleet.Census.In(phase);
    }
}
