using Flotta.Agent.Duties;
using Flotta.Agent.Heartbeats;
using Flotta.Wire;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.DataSync;

/// <summary>The data synchronisation, while there is a bucket and something to exchange with it: each workload on its own, all with one client.</summary>
internal sealed class SyncLoop(SyncPlaces places, IDutyReport report, DataStates states, TransferCounters counters, ILogger<SyncLoop> logger, TimeProvider time)
{
    public async Task RunAsync(DeviceConfigurationMessage slice, CancellationToken cancellationToken)
    {
        var settings = SyncSettings.Of(slice);
        foreach (var problem in settings.Problems)
            report.Warn("DataNotSynchronised", problem);
        Bucket bucket;
        try
        {
            bucket = Bucket.Of(settings.Storage);
        }
        catch (FormatException exception)
        {
            // Nothing helps but another configuration, which begins this anew.
            report.Warn("DataNotSynchronised", $"The bucket cannot be used: {exception.Message}");
            foreach (var workload in settings.Workloads)
                states.Set(workload.Name, null, exception.Message);
            return;
        }

        using var client = new S3Client(bucket, new Throttle(settings.BytesPerSecond, time), time);
        var site = new SyncSite(bucket.Identity, client, places, report, states, counters, logger, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var leaving = places.Remembered()
            .Except(settings.Workloads.Select(workload => workload.Name), StringComparer.Ordinal)
            .Select(gone => new WorkloadData(gone, SyncMemory.Load(places.Memory(gone), bucket.Identity).Egress, []))
            .ToList();
        counters.Follow([.. settings.Workloads, .. leaving]);
        var tasks = settings.Workloads.Select(workload => new WorkloadSync(workload, site, settings.Schedule).RunAsync(stop.Token)).ToList();
        tasks.AddRange(leaving.Select(gone => new WorkloadSync(gone, site, settings.Schedule).FarewellAsync(stop.Token)));

        // Those of workloads that are gone end, the others only by a fault.
        await foreach (var ended in Task.WhenEach(tasks))
        {
            if (ended.IsCompletedSuccessfully)
                continue;
            await stop.CancelAsync();
            await Task.WhenAll(tasks).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            await ended;
        }
    }
}
