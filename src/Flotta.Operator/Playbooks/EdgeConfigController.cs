using Flotta.Kube;
using Flotta.Resources;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator.Playbooks;

/// <summary>Writes into each config how far it has come.</summary>
internal sealed class EdgeConfigController : IController
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(200);

    private readonly Inventory inventory;
    private readonly TimeProvider time;
    private readonly PacedStatus<EdgeConfig> counts;
    private readonly WorkQueue<ObjectKey> queue;
    private readonly ReconcileLoop<ObjectKey> loop;

    public EdgeConfigController(Inventory inventory, OperatorOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        (this.inventory, this.time) = (inventory, time);
        counts = new(inventory.Api, inventory.Configs, options.CountsEvery, time);
        queue = new(time);
        loop = new("edge-configs", queue, ReconcileAsync, loggers, time, inventory.Work(options.MaxConcurrentReconciles));
        inventory.Configs.Changed += change => queue.Add(change.Key);
        inventory.Playbooks.Changed += change => queue.AddAfter(ConfigOf((change.After ?? change.Before)!), Settle);
        inventory.Devices.Changed += Look;
    }

    public void LookAtEverything()
    {
        foreach (var config in inventory.Configs.All) queue.Add(ObjectKey.Of(config));
    }

    public Task RunAsync(CancellationToken cancellationToken) => loop.RunAsync(cancellationToken);

    private void Look(ObjectChange<EdgeDevice> change)
    {
        List<string> before = change.Before is { } was ? [.. Inventory.ConfigsOf(was)] : [], after = change.After is { } now ? [.. Inventory.ConfigsOf(now)] : [];
        foreach (var config in before.Except(after, StringComparer.Ordinal).Concat(after.Except(before, StringComparer.Ordinal))) queue.AddAfter(new(change.Key.Namespace, config), Settle);
    }

    private static ObjectKey ConfigOf(PlaybookExecution playbook) => new(playbook.Metadata.NamespaceProperty, PlaybookPlan.ConfigOf(playbook));

    private async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (inventory.Configs.Get(key) is not { Metadata.DeletionTimestamp: null } config)
        {
            counts.Forget(key);
            return ReconcileResult.Done;
        }

        var status = EdgeConfigReport.For(config, inventory.PlaybooksOf(key), inventory.DevicesWithConfig(key).Count, time.GetUtcNow());
        if (EdgeConfigReport.Same(config.Status, status)) return ReconcileResult.Done;
        return await counts.WriteAsync(key, status, cancellationToken);
    }
}
