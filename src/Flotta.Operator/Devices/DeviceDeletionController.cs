using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator.Devices;

/// <summary>
/// Lets a deleted EdgeDevice go at once: its enrolment request goes first, otherwise the device could walk in again through it. Nobody
/// waits for the device, which may be gone for ever; if it is not, it learns at its next request that it is no longer known.
/// </summary>
internal sealed partial class DeviceDeletionController : IController
{
    private readonly Inventory inventory;
    private readonly ILogger logger;
    private readonly WorkQueue<ObjectKey> queue;
    private readonly ReconcileLoop<ObjectKey> loop;

    public DeviceDeletionController(Inventory inventory, OperatorOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        this.inventory = inventory;
        logger = loggers.CreateLogger<DeviceDeletionController>();
        queue = new(time);
        loop = new("device-deletion", queue, ReconcileAsync, loggers, time, inventory.Work(options.MaxConcurrentReconciles));
        inventory.Devices.Changed += change => Look(change.After);
    }

    public void LookAtEverything()
    {
        foreach (var device in inventory.Devices.All) Look(device);
    }

    public Task RunAsync(CancellationToken cancellationToken) => loop.RunAsync(cancellationToken);

    private void Look(EdgeDevice? device)
    {
        if (device is not null && IsOurs(device)) queue.Add(ObjectKey.Of(device));
    }

    private static bool IsOurs(EdgeDevice device) =>
        device.Metadata.DeletionTimestamp is not null && Finalizers.Has(device, Names.Finalizers.Device);

    private async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (inventory.Devices.Get(key) is not { } device || !IsOurs(device)) return ReconcileResult.Done;
        await DeleteRequestAsync(key, cancellationToken);
        try
        {
            await inventory.Api.MergePatchAsync<EdgeDevice>(key, Finalizers.Removing(device, Names.Finalizers.Device), cancellationToken);
        }
        catch (KubeException gone) when (gone.IsNotFound)
        {
            return ReconcileResult.Done;
        }

        LogDeleted(key);
        return ReconcileResult.Done;
    }

    private async Task DeleteRequestAsync(ObjectKey device, CancellationToken cancellationToken)
    {
        // Read from the server, not from the cache: the request must be the one that is there now. One that asks for another
        // namespace belongs to another device, or to none yet.
        var key = new ObjectKey(Names.EnrolmentNamespace, device.Name);
        var request = await inventory.Api.GetAsync<EdgeDeviceSignedRequest>(key, cancellationToken);
        if (request is null || request.Spec.TargetNamespace != device.Namespace) return;
        await inventory.Api.DeleteAsync<EdgeDeviceSignedRequest>(key, cancellationToken, new V1Preconditions { Uid = request.Metadata.Uid });
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The device {Device} is deleted, and so is its enrolment request")]
    private partial void LogDeleted(ObjectKey device);
}
