using System.Collections.Concurrent;
using Flotta.Kube;
using Flotta.Resources;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator.Workloads;

/// <summary>
/// Looks after the workloads themselves: holds each by a finalizer while a device has it, tells the placement loop which devices a change
/// concerns, and counts.
/// </summary>
internal sealed partial class WorkloadController : IController
{
    // A fleet that takes on a workload changes device by device; what that changes here is looked at ten times a second, not per device.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(100);

    private readonly Inventory inventory;
    private readonly PlacementController placement;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly PacedStatus<EdgeWorkload> counts;
    private readonly ConcurrentDictionary<ObjectKey, Telling> told = new();
    private readonly WorkQueue<ObjectKey> queue;
    private readonly ReconcileLoop<ObjectKey> loop;

    public WorkloadController(Inventory inventory, OperatorOptions options, PlacementController placement, ILoggerFactory loggers, TimeProvider time)
    {
        this.inventory = inventory;
        this.placement = placement;
        this.time = time;
        counts = new(inventory.Api, inventory.Workloads, options.CountsEvery, time);
        logger = loggers.CreateLogger<WorkloadController>();
        queue = new(time);
        loop = new("workloads", queue, ReconcileAsync, loggers, time, inventory.Work(options.MaxConcurrentReconciles));
        inventory.Workloads.Changed += change => queue.Add(change.Key);
        inventory.Devices.Changed += Look;
    }

    public void LookAtEverything()
    {
        told.Clear();
        foreach (var workload in inventory.Workloads.All) queue.Add(ObjectKey.Of(workload));
    }

    public Task RunAsync(CancellationToken cancellationToken) => loop.RunAsync(cancellationToken);

    // Entries that came, went or changed their phase change what their workloads count; entries and labels that went may have been the last.
    private void Look(ObjectChange<EdgeDevice> change)
    {
        var (before, after) = (Phases(change.Before), Phases(change.After));
        var names = before.Except(after).Concat(after.Except(before)).Select(entry => entry.Name);
        var labels = Labels(change.Before).Except(Labels(change.After), StringComparer.Ordinal);
        foreach (var name in names.Concat(labels.SelectMany(label => NamesOf(change.Key.Namespace, label))).Distinct(StringComparer.Ordinal))
            queue.AddAfter(new(change.Key.Namespace, name), Settle);
    }

    private static List<(string Name, string? Phase)> Phases(EdgeDevice? device) =>
        device is { Metadata.DeletionTimestamp: null } ? [.. (device.Status?.Workloads ?? []).Select(entry => (entry.Name, entry.Phase))] : [];

    private static IEnumerable<string> Labels(EdgeDevice? device) =>
        device is { Metadata.DeletionTimestamp: null, Metadata.Labels: { } labels } ? labels.Keys.Where(key => key.StartsWith(Names.Labels.WorkloadPrefix, StringComparison.Ordinal)) : [];

    // A label tells the workload's name, unless that was too long for it.
    private IEnumerable<string> NamesOf(string @namespace, string label)
    {
        var name = label[Names.Labels.WorkloadPrefix.Length..];
        return name.Length < LabelValue.MaxLength
            ? [name]
            : inventory.WorkloadsIn(@namespace).Select(workload => workload.Metadata.Name).Where(each => Names.Labels.Workload(each) == label);
    }

    private async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var workload = inventory.Workloads.Get(key);
        if (workload is { Metadata.DeletionTimestamp: null }) workload = await HoldAsync(key, workload, cancellationToken);
        var holders = inventory.DevicesWith(key).Where(device => device.Metadata.DeletionTimestamp is null).ToList();
        TellOnce(key, workload, holders);
        if (workload is { Metadata.DeletionTimestamp: null }) return await CountAsync(key, workload, holders, cancellationToken);
        counts.Forget(key);
        if (workload is null) told.TryRemove(key, out _);
        else if (holders.Count == 0) await ReleaseAsync(key, workload, cancellationToken);
        return ReconcileResult.Done;
    }

    /// <summary>
    /// Sends those devices to the placement loop that have the workload or should have it, once for each change of the workload: how the
    /// devices change is the placement loop's own to notice, and it tries again by itself what fails.
    /// </summary>
    private void TellOnce(ObjectKey key, EdgeWorkload? workload, List<EdgeDevice> holders)
    {
        var telling = new Telling(workload?.Metadata.Uid, workload?.Metadata.Generation, workload?.Metadata.DeletionTimestamp is not null);
        if (told.TryGetValue(key, out var before) && before == telling) return;
        told[key] = telling;
        var concerned = workload is null ? [] : inventory.DevicesIn(key.Namespace).Where(device => Placement.Concerns(workload, device));
        foreach (var device in holders.Concat(concerned)) placement.LookAt(ObjectKey.Of(device));
    }

    private async Task<EdgeWorkload> HoldAsync(ObjectKey key, EdgeWorkload workload, CancellationToken cancellationToken)
    {
        if (Finalizers.Has(workload, Names.Finalizers.Workload)) return workload;
        var held = await inventory.Api.MergePatchAsync<EdgeWorkload>(key, Finalizers.Adding(workload, Names.Finalizers.Workload), cancellationToken);
        inventory.Workloads.Remember(held);
        return held;
    }

    private async Task ReleaseAsync(ObjectKey key, EdgeWorkload workload, CancellationToken cancellationToken)
    {
        if (!Finalizers.Has(workload, Names.Finalizers.Workload)) return;
        try
        {
            await inventory.Api.MergePatchAsync<EdgeWorkload>(key, Finalizers.Removing(workload, Names.Finalizers.Workload), cancellationToken);
        }
        catch (KubeException gone) when (gone.IsNotFound)
        {
            return;
        }

        LogReleased(key);
    }

    private async Task<ReconcileResult> CountAsync(ObjectKey key, EdgeWorkload workload, List<EdgeDevice> holders, CancellationToken cancellationToken)
    {
        var status = WorkloadReport.For(workload, holders, time.GetUtcNow());
        if (WorkloadReport.Same(workload.Status, status)) return ReconcileResult.Done;
        return await counts.WriteAsync(key, status, cancellationToken);
    }

    private sealed record Telling(string? Uid, long? Generation, bool Leaving);

    [LoggerMessage(Level = LogLevel.Debug, Message = "No device has the workload {Workload} any more")]
    private partial void LogReleased(ObjectKey workload);
}
