using System.Threading.Channels;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Sessions;
using Flotta.Kube;
using Flotta.Resources;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.Configuration;

/// <summary>
/// Finds out which devices a change concerns, and tells their sessions. Nothing is assembled here: that happens when a device asks, or is waiting for an answer.
/// A change to a selector costs one pass over the devices of its namespace.
/// </summary>
internal sealed partial class ConfigurationWatch
{
    // Unbounded, but of small things that the caches hold anyway; the caches must never wait for us.
    private readonly Channel<Action> changes = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly FleetCaches fleet;
    private readonly SessionTable sessions;
    private readonly ILogger logger;

    public ConfigurationWatch(FleetCaches fleet, SessionTable sessions, ILoggerFactory loggers)
    {
        (this.fleet, this.sessions, logger) = (fleet, sessions, loggers.CreateLogger<ConfigurationWatch>());
        fleet.Devices.Changed += change => Later(() => Device(change));
        fleet.Sets.Changed += change => Later(() => Tell(fleet.MembersOf(change.Key)));
        fleet.Workloads.Changed += change => Later(() => Workload(change));
        fleet.Playbooks.Changed += change =>
        {
            // What a device reports of one that runs changes nothing for it.
            if (change.Before is null || change.After is null || change.Before.HasEnded() != change.After.HasEnded() || change.Before.Metadata.DeletionTimestamp != change.After.Metadata.DeletionTimestamp)
                Later(() => Tell(OpenPlaybooks.DevicesOf(fleet, (change.After ?? change.Before)!)));
        };
        fleet.AttachmentChanged += attachment => Later(() => Attached(attachment));
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in changes.Reader.ReadAllAsync(cancellationToken))
            {
                try
                {
                    change();
                }
                catch (Exception error)
                {
                    LogFailed(error);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private void Later(Action change) => changes.Writer.TryWrite(change);

    private void Device(ObjectChange<EdgeDevice> change)
    {
        if (change.After == null)
        {
            sessions.Remove(change.Key);
            EdgeMetrics.Heartbeat.RemoveLabelled(change.Key.Namespace, change.Key.Name);
        }
        else if (change.Before is not { } before || Matters(before, change.After))
        {
            sessions.Find(change.Key)?.Invalidate();
        }
    }

    // Most changes of a device are its own reports, and those change nothing for it.
    private static bool Matters(EdgeDevice before, EdgeDevice after) =>
        before.Metadata.Generation != after.Metadata.Generation
        || after.Metadata.Generation == null
        || !string.Equals(before.Metadata.Uid, after.Metadata.Uid, StringComparison.Ordinal)
        || before.Metadata.DeletionTimestamp != after.Metadata.DeletionTimestamp
        || !Same(before.Metadata.Labels, after.Metadata.Labels)
        || !Same(before.Metadata.Annotations, after.Metadata.Annotations)
        || !string.Equals(before.Status?.DataObc, after.Status?.DataObc, StringComparison.Ordinal)
        || before.Status?.Certificate != after.Status?.Certificate;

    private static bool Same(IDictionary<string, string>? one, IDictionary<string, string>? other) =>
        (one?.Count ?? 0) == (other?.Count ?? 0)
        && (one == null || one.All(pair => other!.TryGetValue(pair.Key, out var value) && string.Equals(value, pair.Value, StringComparison.Ordinal)));

    private void Workload(ObjectChange<EdgeWorkload> change)
    {
        foreach (var device in Candidates(change.Before).Concat(Candidates(change.After)))
        {
            if (Concerned(change.Before, device) || Concerned(change.After, device))
                sessions.Find(ObjectKey.Of(device))?.Invalidate();
        }
    }

    private static bool Concerned(EdgeWorkload? workload, EdgeDevice device) => workload != null && Placement.Concerns(workload, device);

    private IEnumerable<EdgeDevice> Candidates(EdgeWorkload? workload)
    {
        if (workload == null)
            return [];
        if (string.IsNullOrEmpty(workload.Spec.Device))
            return fleet.DevicesOf(workload.Metadata.NamespaceProperty);
        return fleet.Devices.Get(workload.Metadata.NamespaceProperty, workload.Spec.Device) is { } device ? [device] : [];
    }

    private void Attached(Attachment attachment)
    {
        Tell(fleet.DevicesUsing(attachment));
        foreach (var workload in fleet.WorkloadsUsing(attachment))
            Tell(Candidates(workload).Where(device => Placement.Concerns(workload, device)));
    }

    private void Tell(IEnumerable<EdgeDevice> devices)
    {
        foreach (var device in devices)
            sessions.Find(ObjectKey.Of(device))?.Invalidate();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A change could not be followed to its devices")]
    private partial void LogFailed(Exception error);
}
