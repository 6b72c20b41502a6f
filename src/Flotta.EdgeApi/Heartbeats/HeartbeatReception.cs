using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Flotta.EdgeApi.Configuration;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Requests;
using Flotta.EdgeApi.Sessions;
using Flotta.EdgeApi.Statuses;
using Flotta.Kube;
using Flotta.Resources;
using Microsoft.AspNetCore.Http;

namespace Flotta.EdgeApi.Heartbeats;

/// <summary>
/// The directive <c>heartbeat</c>. One that says what the last one said, about a world that has not changed either, costs a hash and nothing else.
/// Any other is compared with what is stored; what differs is stored before the answer, and so are its events.
/// </summary>
internal sealed class HeartbeatReception(FleetCaches fleet, StatusWriter writer, ConfigurationVersions versions, DeviceEvents events, PlaybookResults results, EdgeApiOptions options, TimeProvider time)
{
    public async Task AnswerAsync(HttpContext http, Wire.Message message, EdgeDevice device, Session session)
    {
        var hash = Hash(message.Content);
        if (session.Report is { } last && last.Epoch == session.Epoch
            && string.Equals(last.ResourceVersion, device.Metadata.ResourceVersion, StringComparison.Ordinal) && hash.AsSpan().SequenceEqual(last.Content))
        {
            await AcceptAsync(http, device);
            return;
        }

        Wire.Heartbeat heartbeat;
        try
        {
            heartbeat = Wire.WireJson.ReadContent(message.Content, Wire.WireJson.Types.Heartbeat);
        }
        catch (Wire.WireFormatException)
        {
            await Answer.Nothing(http, StatusCodes.Status400BadRequest);
            return;
        }

        await events.RecordAsync(device, session, message.MessageId, heartbeat.Events, http.RequestAborted);
        var epoch = session.Epoch;
        var stored = await StoreAsync(device, session, heartbeat, http.RequestAborted);
        if (stored == null)
        {
            await Answer.Nothing(http, StatusCodes.Status404NotFound);
            return;
        }

        await results.StoreAsync(stored, heartbeat.PlaybookExecutions, http.RequestAborted);
        // Events that are sent again have happened again.
        session.Report = heartbeat.Events is { Count: > 0 } ? null : new(hash, stored.Metadata.ResourceVersion, epoch);
        await AcceptAsync(http, stored);
    }

    private async Task<EdgeDevice?> StoreAsync(EdgeDevice device, Session session, Wire.Heartbeat heartbeat, CancellationToken cancellationToken)
    {
        var known = await KnownAsync(device, session, cancellationToken);
        var context = new ReportContext(time.GetUtcNow(), options.Replica, known?.Version, known?.Problem, IsPlaced);
        var wanted = Report.Apply(device, heartbeat, context);
        if (StatusWriter.ChangesNothing(device, wanted))
            return device;
        // Applied again by the writer to what it finds then.
        return await writer.ApplyAsync(session.Device, current => Report.Apply(current, heartbeat, context), cancellationToken);

        bool IsPlaced(string workload) => fleet.Workloads.Get(session.Device.Namespace, workload) is { } found && Placement.Concerns(found, device);
    }

    // A report is worth storing also when its configuration cannot be assembled at the moment.
    private async Task<KnownVersion?> KnownAsync(EdgeDevice device, Session session, CancellationToken cancellationToken)
    {
        try
        {
            return await versions.OfAsync(device, session, cancellationToken);
        }
        catch (Exception error) when (error is KubeException or HttpRequestException or TimeoutException)
        {
            return null;
        }
    }

    private static Task AcceptAsync(HttpContext http, EdgeDevice device)
    {
        EdgeMetrics.Heartbeat.WithLabels(device.Metadata.NamespaceProperty, device.Metadata.Name).Inc();
        return Answer.Empty(http);
    }

    private static byte[] Hash(JsonElement? content) =>
        SHA256.HashData(content is { ValueKind: not JsonValueKind.Undefined } element ? JsonMarshal.GetRawUtf8Value(element) : "null"u8);
}
