using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Flotta.EdgeApi.Configuration;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Hardware;
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
            await AcceptAsync(http, device, session);
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

        heartbeat = heartbeat with { PlaybookExecutions = results.Present(device, heartbeat.PlaybookExecutions) };
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
        await AcceptAsync(http, stored, session);
    }

    private async Task<EdgeDevice?> StoreAsync(EdgeDevice device, Session session, Wire.Heartbeat heartbeat, CancellationToken cancellationToken)
    {
        var known = await KnownAsync(device, session, cancellationToken);
        var news = heartbeat.Hardware is { } said && !IsKnown(device, session, said);
        var context = new ReportContext(time.GetUtcNow(), options.Replica, known?.Version, known?.Problem, IsPlaced) { HardwareIsKnown = !news };
        if (!news)
            return await StoreAsync(device, session, current => Report.Apply(current, heartbeat, context), cancellationToken);
        // Facts that differ are merged with those that are stored, which are not kept in memory.
        var stored = await writer.ApplyAsync(session.Device, current => Report.Apply(current, heartbeat, context), cancellationToken, whole: true);
        if (stored != null)
            session.Hardware = HardwareFacts.Digest(HardwareFacts.Merge(null, heartbeat.Hardware!));
        return stored;

        bool IsPlaced(string workload) => fleet.Workloads.Get(session.Device.Namespace, workload) is { } found && Placement.Concerns(found, device);
    }

    private async Task<EdgeDevice?> StoreAsync(EdgeDevice device, Session session, Func<EdgeDevice, EdgeDevice> change, CancellationToken cancellationToken) =>
        StatusWriter.ChangesNothing(device, change(device))
            ? device
            // Made again by the writer of what it finds then.
            : await writer.ApplyAsync(session.Device, change, cancellationToken);

    // The whole of what is stored, or what this device said the last time (which may be a part of it).
    private static bool IsKnown(EdgeDevice device, Session session, Wire.HardwareInfo said)
    {
        var digest = HardwareFacts.Digest(HardwareFacts.Merge(null, said));
        return string.Equals(digest, device.Status?.HardwareDigest, StringComparison.Ordinal) || string.Equals(digest, session.Hardware, StringComparison.Ordinal);
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

    public Task AcceptAsync(HttpContext http, EdgeDevice device, Session session)
    {
        if (Quiet.Asked(http.Request.Headers) is { } asked)
            Grant(http, device, session, asked);
        else
            session.IsQuiet ??= false;
        (session.Beats ??= EdgeMetrics.Heartbeat.WithLabels(device.Metadata.NamespaceProperty, device.Metadata.Name)).Inc();
        return Answer.Empty(http);
    }

    private void Grant(HttpContext http, EdgeDevice device, Session session, int asked)
    {
        var fits = Quiet.Fits(DeviceAssembly.PeriodOf(device, fleet.SetFor(device)));
        session.IsQuiet = fits;
        if (fits)
            http.Response.Headers["Preference-Applied"] = Quiet.Granted(asked);
    }

    private static byte[] Hash(JsonElement? content) =>
        SHA256.HashData(content is { ValueKind: not JsonValueKind.Undefined } element ? JsonMarshal.GetRawUtf8Value(element) : "null"u8);
}
