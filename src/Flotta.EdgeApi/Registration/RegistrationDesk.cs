using Flotta.EdgeApi.Certificates;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Hardware;
using Flotta.EdgeApi.Identity;
using Flotta.EdgeApi.Requests;
using Flotta.EdgeApi.Sessions;
using Flotta.EdgeApi.Statuses;
using Flotta.Kube;
using Flotta.Resources;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.Registration;

/// <summary>
/// The directive <c>registration</c>: the first certificate of an approved device, and every later one. The serial is recorded before the certificate leaves the house, and the whole
/// can be repeated until the device has used what it got.
/// </summary>
internal sealed partial class RegistrationDesk(
    KubeApi api, FleetCaches fleet, SessionTable sessions, Authority authority, SigningRequests signingRequests, StatusWriter writer, EdgeApiOptions options,
    ILoggerFactory loggers, TimeProvider time)
{
    // Longer than a write is tried; a later request of the device tries it anew.
    private static readonly TimeSpan ConfirmAgain = TimeSpan.FromMinutes(1);

    private readonly ILogger logger = loggers.CreateLogger<RegistrationDesk>();

    public async Task AnswerAsync(HttpContext http, Peer peer, Chaining chaining, string deviceId, Wire.Message message)
    {
        var own = !peer.IsBootstrap && string.Equals(peer.Name, deviceId, StringComparison.Ordinal);
        if (!own && !peer.IsBootstrap)
        {
            EdgeMetrics.InvalidOwner.Inc();
            await Answer.Nothing(http, StatusCodes.Status403Forbidden);
            return;
        }

        if (Read(message) is not { } info || !ObjectName.IsValid(deviceId))
        {
            await Answer.Nothing(http, StatusCodes.Status400BadRequest);
            return;
        }

        try
        {
            var (status, issued) = await RegisterAsync(peer, own, chaining, deviceId, info, http.RequestAborted);
            await AnswerAsync(http, message, status, issued);
        }
        catch (Exception error) when (error is KubeException or HttpRequestException or TimeoutException)
        {
            LogFailed(deviceId, error.Message);
            EdgeMetrics.FailedRegistration.Inc();
            await (Unavailable.Is(error) ? Answer.Later(http, StatusCodes.Status503ServiceUnavailable) : Answer.Nothing(http, StatusCodes.Status500InternalServerError));
        }
    }

    /// <summary>A device that shows its newest certificate for the first time: the one before is not needed any more.</summary>
    public void Used(EdgeDevice device, Session session, string serial)
    {
        if (device.Status?.Certificate is not { Confirmed: not true, Serial: { } issued } || !string.Equals(issued, serial, StringComparison.OrdinalIgnoreCase)
            || (session.Confirming is { } last && string.Equals(last.Serial, serial, StringComparison.Ordinal) && time.GetElapsedTime(last.At) < ConfirmAgain))
            return;
        session.Confirming = (serial, time.GetTimestamp());
        // Nobody waits for it, and the device's first heartbeat, which has more to say, is on its way.
        writer.ApplySoon(session.Device, current => current.Status?.Certificate is { } certificate && string.Equals(certificate.Serial, serial, StringComparison.OrdinalIgnoreCase)
            ? current with { Status = current.StatusOf() with { Certificate = certificate with { Confirmed = true, PreviousSerial = null } } }
            : current);
    }

    private static async Task AnswerAsync(HttpContext http, Wire.Message message, int status, IssuedCertificate? issued)
    {
        if (status == StatusCodes.Status401Unauthorized)
            EdgeMetrics.FailedAuthentication.Inc();
        else if (status == StatusCodes.Status403Forbidden)
            EdgeMetrics.FailedRegistration.Inc();
        if (issued == null)
        {
            await Answer.Nothing(http, status);
            return;
        }

        EdgeMetrics.SuccessfulRegistration.Inc();
        var content = Wire.WireJson.ToElement(new Wire.RegistrationResponse { Certificate = issued.Pem }, Wire.WireJson.Types.RegistrationResponse);
        await Answer.Body(http, new Wire.MessageResponse { Content = content, Directive = message.Directive, MessageId = message.MessageId }, Wire.WireJson.Types.MessageResponse);
    }

    private async Task<(int Status, IssuedCertificate? Issued)> RegisterAsync(
        Peer peer, bool own, Chaining chaining, string deviceId, Wire.RegistrationInfo info, CancellationToken cancellationToken)
    {
        var request = await api.GetAsync<EdgeDeviceSignedRequest>(new ObjectKey(Names.EnrolmentNamespace, deviceId), cancellationToken);
        var key = await WhereAsync(peer, own, request, deviceId, cancellationToken);
        if (key is not { } home)
        {
            EdgeMetrics.FailedRegistration.Inc();
            return (StatusCodes.Status404NotFound, null);
        }

        var asked = new RegistrationCase(own, chaining == Chaining.Expired, peer.Serial, peer.NotAfter, request, null, time.GetUtcNow(), options.RenewalGrace);
        // A refusal is not taken from memory: approval and registration follow each other closely. An assent is asked for again below, of what is stored.
        var verdict = RegistrationRule.Decide(asked, fleet.Devices.Get(home));
        if (verdict != RegistrationVerdict.Issue)
            verdict = RegistrationRule.Decide(asked, await api.GetAsync<EdgeDevice>(home, cancellationToken));
        if (verdict != RegistrationVerdict.Issue)
            return (StatusOf(verdict), null);
        if (signingRequests.Read(info.CertificateRequest) is not { } csr)
            return (StatusCodes.Status400BadRequest, null);

        asked = asked with { KeyFingerprint = csr.Fingerprint };
        var issued = authority.Sign(csr, deviceId, home.Namespace);
        var decided = RegistrationVerdict.NotApproved;
        var written = await writer.ApplyAsync(
            home,
            current =>
            {
                // Asked again of the object that is written to: two requests at once must not both succeed with different keys.
                decided = RegistrationRule.Decide(asked, current);
                return decided == RegistrationVerdict.Issue ? Here(Registered(current, issued, own ? peer.Serial : null, info.Hardware)) : current;
            },
            cancellationToken,
            whole: true);
        if (written == null || decided != RegistrationVerdict.Issue)
            return (StatusOf(decided), null);
        // From now on its silence is noticed, also if it never comes back with its certificate.
        var session = sessions.For(home);
        session.Seen(time.GetTimestamp());
        (session.IsConnected, session.ConnectedWritten) = (true, time.GetTimestamp());
        LogRegistered(home, issued.Serial, own ? "renewed" : "first");
        return (StatusCodes.Status200OK, issued);
    }

    // It has just been heard of, and one write may say both.
    private EdgeDevice Here(EdgeDevice device) => device with { Status = Presence.Here(device.StatusOf(), options.Replica, time.GetUtcNow(), comes: true) };

    private async Task<ObjectKey?> WhereAsync(Peer peer, bool own, EdgeDeviceSignedRequest? request, string deviceId, CancellationToken cancellationToken)
    {
        var target = request?.Spec.TargetNamespace is { Length: > 0 } wished ? wished : Names.EnrolmentNamespace;
        if (!own)
            return request == null ? null : new ObjectKey(target, deviceId);
        var home = Gate.KeyOf(peer);
        if (!ObjectName.IsNamespace(home.Namespace))
            return null;
        // A device that was let in again, elsewhere, still comes with the certificate of its earlier life.
        if (request != null && home.Namespace != target && fleet.Devices.Get(home) == null && await api.GetAsync<EdgeDevice>(home, cancellationToken) == null)
            return new ObjectKey(target, deviceId);
        return home;
    }

    internal static EdgeDevice Registered(EdgeDevice device, IssuedCertificate issued, string? presented, Wire.HardwareInfo? said)
    {
        var status = device.StatusOf();
        status = status with
        {
            Certificate = new CertificateStatus
            {
                Serial = issued.Serial,
                // The one that the device has in its hands, in case this one never reaches it.
                PreviousSerial = presented,
                NotAfter = issued.NotAfter,
                KeyFingerprint = issued.Fingerprint,
                Confirmed = false,
            },
        };
        var labels = new List<KeyValuePair<string, string?>> { new(Names.Labels.SignedRequest, null) };
        if (said != null)
        {
            status = status with { Hardware = HardwareFacts.Merge(status.Hardware, said) };
            labels.AddRange(HardwareFacts.Labels(status.Hardware));
        }

        return (device with { Status = status }).WithLabels(labels);
    }

    private static int StatusOf(RegistrationVerdict verdict) => verdict switch
    {
        RegistrationVerdict.Unauthorized => StatusCodes.Status401Unauthorized,
        RegistrationVerdict.Forbidden => StatusCodes.Status403Forbidden,
        _ => StatusCodes.Status404NotFound,
    };

    private static Wire.RegistrationInfo? Read(Wire.Message message)
    {
        try
        {
            return Wire.WireJson.ReadContent(message.Content, Wire.WireJson.Types.RegistrationInfo);
        }
        catch (Wire.WireFormatException)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Device} has a certificate with serial {Serial} ({Kind})")]
    private partial void LogRegistered(ObjectKey device, string serial, string kind);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Device} cannot be registered: {Error}")]
    private partial void LogFailed(string device, string error);
}
