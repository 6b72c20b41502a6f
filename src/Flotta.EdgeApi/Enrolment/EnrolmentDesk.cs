using System.Text.Json.Nodes;
using Flotta.EdgeApi.Certificates;
using Flotta.EdgeApi.Configuration;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Hardware;
using Flotta.EdgeApi.Identity;
using Flotta.EdgeApi.Requests;
using Flotta.EdgeApi.Statuses;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.Enrolment;

/// <summary>
/// The directive <c>enrolment</c>: a device asks to be let in, and gets an EdgeDeviceSignedRequest for an administrator to approve. 208 says that it has been.
/// The first key that it offers is the one that counts. Who asks with <c>Prefer: wait</c> hears of the approval when it happens instead of asking again and again.
/// </summary>
internal sealed partial class EnrolmentDesk(
    KubeApi api, FleetCaches fleet, SigningRequests signingRequests, EventRecorder recorder, EdgeApiOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private const int LongestModel = 253;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(30);

    private readonly ILogger logger = loggers.CreateLogger<EnrolmentDesk>();
    private readonly Anteroom anteroom = new(fleet, options.MaxHeldEnrolments);

    /// <summary>Ends all waiting, for a server that stops.</summary>
    public CancellationToken Stopping { get; set; }

    public async Task AnswerAsync(HttpContext http, Peer peer, string deviceId, Wire.Message message)
    {
        int status;
        try
        {
            status = await EnrolAsync(http, peer, deviceId, message);
        }
        catch (KubeException refused) when (!refused.IsTemporary)
        {
            // As from the original: whatever is wrong, 400, and the device asks again later.
            LogFailed(deviceId, refused.Message);
            status = StatusCodes.Status400BadRequest;
        }

        await (status is StatusCodes.Status200OK or StatusCodes.Status208AlreadyReported ? Answer.Empty(http, status) : Answer.Nothing(http, status));
    }

    private async Task<int> EnrolAsync(HttpContext http, Peer peer, string deviceId, Wire.Message message)
    {
        if (!peer.IsBootstrap && !string.Equals(peer.Name, deviceId, StringComparison.Ordinal))
        {
            EdgeMetrics.InvalidOwner.Inc();
            return StatusCodes.Status403Forbidden;
        }

        if (Read(message) is not { } info || !ObjectName.IsValid(deviceId) || deviceId == Issue.BootstrapName)
            return StatusCodes.Status400BadRequest;
        var target = string.IsNullOrEmpty(info.TargetNamespace) ? Names.EnrolmentNamespace : info.TargetNamespace;
        var offered = signingRequests.Read(info.CertificateRequest);
        if (!ObjectName.IsNamespace(target) || (offered == null && !string.IsNullOrEmpty(info.CertificateRequest)))
            return StatusCodes.Status400BadRequest;

        var wait = Preference.Of(http.Request.Headers).Wait;
        using var place = wait > TimeSpan.Zero ? anteroom.Enter(deviceId) : null;
        if (place == null)
            return await StandingAsync(deviceId, target, info, offered, http.RequestAborted);
        wait = wait < LongestWait ? wait : LongestWait;
        http.Response.Headers["Preference-Applied"] = Preference.Granted(wait);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, Stopping);
        var over = Task.Delay(Preference.Spread(wait), time, end.Token);
        try
        {
            while (true)
            {
                var news = place.News();
                var status = await StandingAsync(deviceId, target, info, offered, http.RequestAborted);
                if (status != StatusCodes.Status200OK || place.IsLost || over.IsCompleted)
                    return status;
                await Task.WhenAny(news, over);
            }
        }
        finally
        {
            await end.CancelAsync();
        }
    }

    /// <summary>Asks where nobody has asked yet, and says how it stands: 208 for who has been let in, otherwise 200.</summary>
    private async Task<int> StandingAsync(string deviceId, string target, Wire.EnrolmentInfo info, SigningRequest? offered, CancellationToken cancellationToken)
    {
        var request = fleet.Requests.Get(Names.EnrolmentNamespace, deviceId);
        if ((Device(target, deviceId) ?? Device(request?.Spec.TargetNamespace, deviceId)) is { } device)
            return await KnownAsync(device, request, info, offered, cancellationToken);
        if (request != null)
        {
            await CompareAsync(request, offered, cancellationToken);
            return StatusCodes.Status200OK;
        }

        return await CreateAsync(deviceId, target, info, offered, cancellationToken);
    }

    private EdgeDevice? Device(string? @namespace, string deviceId) => string.IsNullOrEmpty(@namespace) ? null : fleet.Devices.Get(@namespace, deviceId);

    private async Task<int> KnownAsync(
        EdgeDevice device, EdgeDeviceSignedRequest? request, Wire.EnrolmentInfo info, SigningRequest? offered, CancellationToken cancellationToken)
    {
        if (!device.IsLost(options.RenewalGrace, time.GetUtcNow()))
        {
            if (request != null && device.AwaitsRegistration())
                await CompareAsync(request, offered, cancellationToken);
            return StatusCodes.Status208AlreadyReported;
        }

        // A device that was away for so long goes back to the approval queue.
        if (request == null)
            return await CreateAsync(device.Metadata.Name, device.Metadata.NamespaceProperty, info, offered, cancellationToken, device.Status!.Certificate!.Serial);
        if (request.IsAskedAnew(device))
            return request.Spec.Approved == true ? StatusCodes.Status208AlreadyReported : StatusCodes.Status200OK;
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [DeviceRecord.ApproveAgainAfter] = device.Status!.Certificate!.Serial } },
            ["spec"] = new JsonObject { ["approved"] = false, ["keyFingerprint"] = offered?.Fingerprint },
        };
        await api.MergePatchAsync<EdgeDeviceSignedRequest>(ObjectKey.Of(request), patch, cancellationToken);
        return StatusCodes.Status200OK;
    }

    private async Task<int> CreateAsync(
        string deviceId, string target, Wire.EnrolmentInfo info, SigningRequest? offered, CancellationToken cancellationToken, string? lostSerial = null)
    {
        if (fleet.Requests.Count >= options.MaxEnrolmentRequests)
            throw new BusyException();
        var features = info.Features;
        var request = new EdgeDeviceSignedRequest
        {
            Metadata = new V1ObjectMeta
            {
                Name = deviceId,
                NamespaceProperty = Names.EnrolmentNamespace,
                Annotations = lostSerial == null ? null : new Dictionary<string, string>(StringComparer.Ordinal) { [DeviceRecord.ApproveAgainAfter] = lostSerial },
            },
            Spec = new EdgeDeviceSignedRequestSpec
            {
                TargetNamespace = target,
                Approved = false,
                KeyFingerprint = offered?.Fingerprint,
                Features = new DeviceFeatures
                {
                    ModelName = features?.ModelName is { Length: > LongestModel } model ? model[..LongestModel] : features?.ModelName,
                    Hardware = features?.Hardware == null ? null : HardwareFacts.Merge(null, features.Hardware),
                },
            },
        };
        try
        {
            await api.CreateAsync(request, cancellationToken);
            LogAsked(deviceId, target);
        }
        catch (KubeException taken) when (taken.IsAlreadyExists)
        {
            // Asked a moment ago, perhaps at another replica.
        }

        return StatusCodes.Status200OK;
    }

    private async Task CompareAsync(EdgeDeviceSignedRequest request, SigningRequest? offered, CancellationToken cancellationToken)
    {
        var first = request.Spec.KeyFingerprint ?? "";
        if (offered == null || string.Equals(first, offered.Fingerprint, StringComparison.Ordinal))
            return;
        var message = first.Length == 0
            ? $"Another request for this device offered the key {offered.Fingerprint}, the first one none. Delete this object to start over."
            : $"Another request for this device offered the key {offered.Fingerprint}; the first one counts. Delete this object to start over.";
        await recorder.RecordAsync(request, EventRecorder.Warning, "AnotherKey", message, cancellationToken);
    }

    private static Wire.EnrolmentInfo? Read(Wire.Message message)
    {
        try
        {
            return Wire.WireJson.ReadContent(message.Content, Wire.WireJson.Types.EnrolmentInfo);
        }
        catch (Wire.WireFormatException)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Device} asks to be let into {Namespace}")]
    private partial void LogAsked(string device, string @namespace);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Device} cannot enrol: {Error}")]
    private partial void LogFailed(string device, string error);
}
