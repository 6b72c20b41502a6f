using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator.Devices;

/// <summary>
/// Watches the Edge API's replicas by their Leases. Each replica itself marks the devices that fall silent; for a replica that died,
/// this marks those of its devices that have not turned to another one.
/// </summary>
internal sealed partial class LivenessController : IController
{
    private readonly Inventory inventory;
    private readonly string leases;
    private readonly Pace pace;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Dictionary<string, ReplicaPulse> pulses = new(StringComparer.Ordinal);
    private readonly WorkQueue<string> queue;
    private readonly ReconcileLoop<string> loop;

    public LivenessController(Inventory inventory, OperatorOptions options, Pace pace, ILoggerFactory loggers, TimeProvider time)
    {
        this.inventory = inventory;
        this.pace = pace;
        this.time = time;
        leases = options.OperatorNamespace;
        logger = loggers.CreateLogger<LivenessController>();
        queue = new(time);
        // One worker: the pulses belong to it alone.
        loop = new("liveness", queue, ReconcileAsync, loggers, time, inventory.Work(workers: 1) with { Patience = TimeSpan.FromMinutes(30) });
        inventory.Leases.Changed += change => LookAtLease(change.Key.Name);
        inventory.Devices.Changed += change => Look(change.After?.Status?.ConnectedTo, change.Before?.Status?.ConnectedTo);
    }

    public void LookAtEverything()
    {
        foreach (var lease in inventory.Leases.All) LookAtLease(lease.Metadata.Name);
        foreach (var device in inventory.Devices.All) Look(device.Status?.ConnectedTo, null);
    }

    public Task RunAsync(CancellationToken cancellationToken) => loop.RunAsync(cancellationToken);

    private void LookAtLease(string name)
    {
        if (name.StartsWith(Names.EdgeApiLeasePrefix, StringComparison.Ordinal)) queue.Add(name[Names.EdgeApiLeasePrefix.Length..]);
    }

    private void Look(string? replica, string? before)
    {
        if (!string.IsNullOrEmpty(replica) && replica != before) queue.Add(replica);
    }

    private async Task<ReconcileResult> ReconcileAsync(string replica, CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        var lease = inventory.Leases.Get(leases, Names.EdgeApiLeasePrefix + replica);
        var pulse = pulses[replica] = ReplicaPulse.Feel(pulses.GetValueOrDefault(replica), lease, now);
        var left = pulse.Left(now, time);
        if (left > TimeSpan.Zero) return ReconcileResult.After(left + TimeSpan.FromMilliseconds(1));
        var marked = 0;
        foreach (var device in inventory.DevicesOf(replica))
        {
            if (await MarkAsync(device, replica, cancellationToken)) marked++;
        }

        if (marked > 0) LogGone(replica, marked);
        if (lease is null) pulses.Remove(replica);
        return ReconcileResult.Done;
    }

    private async Task<bool> MarkAsync(EdgeDevice device, string replica, CancellationToken cancellationToken)
    {
        if (Silence.Conditions(device, replica, time.GetUtcNow()) is not { } conditions) return false;
        await pace.WaitAsync(cancellationToken);
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = device.Metadata.ResourceVersion },
            ["status"] = new JsonObject { ["conditions"] = KubeJson.Node(conditions) },
        };
        try
        {
            inventory.Devices.Remember(await inventory.Api.MergePatchStatusAsync<EdgeDevice>(ObjectKey.Of(device), patch, cancellationToken));
            return true;
        }
        catch (KubeException changed) when (changed.IsConflict || changed.IsNotFound)
        {
            // Somebody heard of it just now, or it is gone. If neither, the next look finds it.
            queue.AddAfter(replica, TimeSpan.FromSeconds(1));
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The Edge API replica {Replica} is gone; of its devices {Count} are connected to no other")]
    private partial void LogGone(string replica, int count);
}
