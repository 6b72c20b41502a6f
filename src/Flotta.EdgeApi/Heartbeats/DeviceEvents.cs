using Flotta.EdgeApi.Sessions;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.EdgeApi.Heartbeats;

/// <summary>Events of devices become Events of their objects, before the heartbeat is answered.</summary>
internal sealed class DeviceEvents(EventRecorder recorder)
{
    /// <summary>More in one heartbeat than any agent means to send.</summary>
    private const int Most = 64;
    private const int LongestReason = 128;

    public async Task RecordAsync(EdgeDevice device, Session session, string? messageId, IReadOnlyList<Wire.DeviceEvent>? events, CancellationToken cancellationToken)
    {
        if (events is not { Count: > 0 })
            return;
        var about = new V1ObjectReference
        {
            ApiVersion = Names.ApiVersion,
            Kind = EdgeDevice.KindName,
            Name = device.Metadata.Name,
            NamespaceProperty = device.Metadata.NamespaceProperty,
            Uid = device.Metadata.Uid,
        };

        // A device that got no answer says it again, perhaps to another replica: the Event itself knows what it counts, by the event's id or else by the message's. Here only requests are saved.
        var done = session.EventsOf(messageId);
        foreach (var (said, reports) in Distinct(events.Take(Most), messageId).Skip(done))
        {
            await recorder.RecordAsync(about, said.Type, said.Reason, said.Message, reports, cancellationToken);
            session.RecordedEvents(messageId, ++done);
        }

        if (events.Count > Most && done <= Most)
        {
            var message = $"The device sent {events.Count} events at once; {events.Count - Most} of them were dropped";
            await recorder.RecordAsync(about, EventRecorder.Warning, "EventsDropped", message, [new EventReport(messageId)], cancellationToken);
            session.RecordedEvents(messageId, Most + 1);
        }
    }

    private static IEnumerable<((string Type, string Reason, string Message) Said, IReadOnlyList<EventReport> Reports)> Distinct(IEnumerable<Wire.DeviceEvent> events, string? messageId) => events
        .GroupBy(said => (
            Type: said.Type == Wire.EventTypes.Warn ? EventRecorder.Warning : EventRecorder.Normal,
            Reason: string.IsNullOrWhiteSpace(said.Reason) ? "DeviceEvent" : said.Reason.Length > LongestReason ? said.Reason[..LongestReason] : said.Reason,
            Message: said.Message ?? ""))
        .Select(group => (group.Key, ReportsOf(group, messageId)));

    // Each id counts once; those that have none count with their message.
    private static IReadOnlyList<EventReport> ReportsOf(IEnumerable<Wire.DeviceEvent> same, string? messageId) =>
    [
        .. same
            .GroupBy(said => IsId(said.Id) ? said.Id : null, StringComparer.Ordinal)
            .Select(group => group.Key is { } id ? new EventReport(id) : new EventReport(messageId, group.Count())),
    ];

    // It only has to differ from the others of this device; what is longer than any name of ours is not one.
    private static bool IsId(string? id) => id is { Length: > 0 and <= 64 };
}
