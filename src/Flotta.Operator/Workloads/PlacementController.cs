using Flotta.Kube;
using Flotta.Resources;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator.Workloads;

/// <summary>
/// Writes into each device's status and labels which workloads it has: all that changed for a device in one go, however many workloads
/// were applied meanwhile.
/// </summary>
internal sealed partial class PlacementController : IController
{
    private readonly Inventory inventory;
    private readonly Pace pace;
    private readonly ILogger logger;
    private readonly WorkQueue<ObjectKey> queue;
    private readonly ReconcileLoop<ObjectKey> loop;

    public PlacementController(Inventory inventory, OperatorOptions options, Pace pace, ILoggerFactory loggers, TimeProvider time)
    {
        this.inventory = inventory;
        this.pace = pace;
        logger = loggers.CreateLogger<PlacementController>();
        queue = new(time);
        loop = new("placement", queue, ReconcileAsync, loggers, time, inventory.Work(options.EdgeWorkloadConcurrency));
        inventory.Devices.Changed += Look;
    }

    public void LookAtEverything()
    {
        foreach (var device in inventory.Devices.All) queue.Add(ObjectKey.Of(device));
    }

    public void LookAt(ObjectKey device) => queue.Add(device);

    public Task RunAsync(CancellationToken cancellationToken) => loop.RunAsync(cancellationToken);

    // Heartbeats change devices all the time, and nearly none of that concerns placement.
    private void Look(ObjectChange<EdgeDevice> change)
    {
        if (change.After is not { } after) return;
        if (change.Before is { } before && SameLabels(before, after) && SameEntries(before, after)) return;
        queue.Add(change.Key);
    }

    private static bool SameLabels(EdgeDevice one, EdgeDevice other)
    {
        var (labels, others) = (Placement.LabelsOf(one), Placement.LabelsOf(other));
        return labels.Count == others.Count && labels.All(label => others.TryGetValue(label.Key, out var value) && value == label.Value);
    }

    private static bool SameEntries(EdgeDevice one, EdgeDevice other) =>
        (one.Status?.Workloads ?? []).Select(entry => entry.Name).SequenceEqual((other.Status?.Workloads ?? []).Select(entry => entry.Name), StringComparer.Ordinal);

    private async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (Plan(key) is null) return ReconcileResult.Done;
        await pace.WaitAsync(cancellationToken);
        // Planned again after the wait: what came in meanwhile goes into the same write.
        if (Plan(key) is not var (device, plan)) return ReconcileResult.Done;
        try
        {
            if (plan.Entries is not null)
                inventory.Devices.Remember(await inventory.Api.MergePatchStatusAsync<EdgeDevice>(key, plan.StatusPatch(device.Metadata.ResourceVersion), cancellationToken));
            if (plan.Labels.Count > 0)
                inventory.Devices.Remember(await inventory.Api.MergePatchAsync<EdgeDevice>(key, plan.LabelsPatch(), cancellationToken));
        }
        catch (KubeException gone) when (gone.IsNotFound)
        {
            return ReconcileResult.Done;
        }

        LogPlaced(key, plan.Entries?.Count ?? device.Status?.Workloads?.Count ?? 0);
        return ReconcileResult.Done;
    }

    private Tuple<EdgeDevice, PlacementPlan>? Plan(ObjectKey key)
    {
        if (inventory.Devices.Get(key) is not { Metadata.DeletionTimestamp: null } device) return null;
        var plan = PlacementPlan.For(device, inventory.WorkloadsIn(key.Namespace));
        return plan.IsEmpty ? null : Tuple.Create(device, plan);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The device {Device} has {Count} workloads now")]
    private partial void LogPlaced(ObjectKey device, int count);
}
