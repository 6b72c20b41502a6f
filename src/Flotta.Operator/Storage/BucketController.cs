using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator.Storage;

/// <summary>Asks for a bucket for every device that should have one of its own. The claim belongs to the device: it goes with it, and with it the bucket.</summary>
internal sealed partial class BucketController : IController
{
    private readonly Inventory inventory;
    private readonly OperatorOptions options;
    private readonly Pace pace;
    private readonly ILogger logger;
    private readonly WorkQueue<ObjectKey> queue;
    private readonly ReconcileLoop<ObjectKey> loop;

    public BucketController(Inventory inventory, OperatorOptions options, Pace pace, ILoggerFactory loggers, TimeProvider time)
    {
        (this.inventory, this.options, this.pace) = (inventory, options, pace);
        logger = loggers.CreateLogger<BucketController>();
        queue = new(time);
        loop = new("buckets", queue, ReconcileAsync, loggers, time, inventory.Work(options.MaxConcurrentReconciles));
        inventory.Devices.Changed += change => Look(change.After);
        inventory.Sets.Changed += change =>
        {
            foreach (var device in inventory.MembersOf(change.Key)) Look(device);
        };
    }

    public void LookAtEverything()
    {
        foreach (var device in inventory.Devices.All) Look(device);
    }

    public Task RunAsync(CancellationToken cancellationToken) => loop.RunAsync(cancellationToken);

    private void Look(EdgeDevice? device)
    {
        if (device is not null && BucketRule.Wants(device, SetFor(device), options.ObcAutoCreate)) queue.Add(ObjectKey.Of(device));
    }

    private EdgeDeviceSet? SetFor(EdgeDevice device) =>
        device.Metadata.Labels?.TryGetValue(Names.Labels.MemberOf, out var set) == true ? inventory.Sets.Get(device.Metadata.NamespaceProperty, set) : null;

    private async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (inventory.Devices.Get(key) is not { } device || !BucketRule.Wants(device, SetFor(device), options.ObcAutoCreate)) return ReconcileResult.Done;
        await pace.WaitAsync(cancellationToken);
        try
        {
            await inventory.Api.CreateAsync(BucketRule.Claim(device, options.ObcStorageClass), cancellationToken);
            LogAsked(key);
        }
        catch (KubeException there) when (there.IsAlreadyExists)
        {
            // From an earlier attempt, or made by somebody for this device.
        }
        catch (KubeException unknown) when (unknown.IsNotFound)
        {
            // No provisioner is installed. One that comes later is noticed then.
            LogNobody(key);
            return ReconcileResult.After(TimeSpan.FromMinutes(5));
        }

        var patch = new JsonObject { ["status"] = new JsonObject { ["dataObc"] = device.Metadata.Name } };
        try
        {
            inventory.Devices.Remember(await inventory.Api.MergePatchStatusAsync<EdgeDevice>(key, patch, cancellationToken));
        }
        catch (KubeException gone) when (gone.IsNotFound)
        {
            return ReconcileResult.Done;
        }

        return ReconcileResult.Done;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Asked for a bucket for {Device}")]
    private partial void LogAsked(ObjectKey device);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Device} should have a bucket, but the cluster knows no ObjectBucketClaims")]
    private partial void LogNobody(ObjectKey device);
}
