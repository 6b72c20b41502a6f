using Flotta.Kube;
using Flotta.Resources;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator.DeviceSets;

/// <summary>Counts the members of sets. What a set says reaches its devices without us; this only tells people how far it has come.</summary>
internal sealed class DeviceSetController : IController
{
    // A set's members report one by one, and nobody looks at the count that often.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(200);

    private readonly Inventory inventory;
    private readonly TimeProvider time;
    private readonly PacedStatus<EdgeDeviceSet> counts;
    private readonly WorkQueue<ObjectKey> queue;
    private readonly ReconcileLoop<ObjectKey> loop;

    public DeviceSetController(Inventory inventory, OperatorOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        (this.inventory, this.time) = (inventory, time);
        counts = new(inventory.Api, inventory.Sets, options.CountsEvery, time);
        queue = new(time);
        loop = new("device-sets", queue, ReconcileAsync, loggers, time, inventory.Work(options.MaxConcurrentReconciles));
        inventory.Sets.Changed += change => queue.Add(change.Key);
        inventory.Devices.Changed += Look;
    }

    public void LookAtEverything()
    {
        foreach (var set in inventory.Sets.All) queue.Add(ObjectKey.Of(set));
    }

    public Task RunAsync(CancellationToken cancellationToken) => loop.RunAsync(cancellationToken);

    private void Look(ObjectChange<EdgeDevice> change)
    {
        var (before, after) = (SetOf(change.Before), SetOf(change.After));
        if (before is null && after is null) return;
        if (before == after && (change.Before?.Status?.Conditions ?? []).SequenceEqual(change.After?.Status?.Conditions ?? [])) return;
        foreach (var set in new[] { before, after }.OfType<string>().Distinct(StringComparer.Ordinal)) queue.AddAfter(new(change.Key.Namespace, set), Settle);
    }

    private static string? SetOf(EdgeDevice? device) => device?.Metadata.Labels?.TryGetValue(Names.Labels.MemberOf, out var set) == true ? set : null;

    private async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (inventory.Sets.Get(key) is not { Metadata.DeletionTimestamp: null } set)
        {
            counts.Forget(key);
            return ReconcileResult.Done;
        }

        var status = DeviceSetReport.For(set, inventory.MembersOf(key), time.GetUtcNow());
        if (DeviceSetReport.Same(set.Status, status)) return ReconcileResult.Done;
        return await counts.WriteAsync(key, status, cancellationToken);
    }
}
