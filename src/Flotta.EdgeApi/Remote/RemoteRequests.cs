using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Flotta.EdgeApi.Certificates;
using Flotta.EdgeApi.Configuration;
using Flotta.EdgeApi.Identity;
using Flotta.EdgeApi.Requests;
using Flotta.EdgeApi.Sessions;
using Flotta.Kube;
using Flotta.Resources;
using Flotta.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.Remote;

/// <summary>What <see cref="EdgeRequests"/> does, with a remote backend in place of the Kubernetes API. What the backend fails to say is 500, and 400 for an enrolment.</summary>
internal sealed partial class RemoteRequests(RemoteBackend backend, Authority authority, EdgeApiOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly ILogger logger = loggers.CreateLogger<RemoteRequests>();
    private readonly KeyedLimits devices = new(options.RequestsPerSecond, options.RequestsPerSecond * 10, 100_000, time);
    private readonly RateLimit newcomers = new(options.BootstrapRequestsPerSecond, options.BootstrapRequestsPerSecond * 2, time);

    public async Task AnswerAsync(HttpContext http)
    {
        try
        {
            await RouteAsync(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be answered.
        }
        catch (BadHttpRequestException bad) when (!http.Response.HasStarted)
        {
            await Answer.Nothing(http, bad.StatusCode);
        }
        catch (RemoteException failed) when (!http.Response.HasStarted)
        {
            LogFailed(failed.Message);
            await Answer.Nothing(http, StatusCodes.Status500InternalServerError);
        }
    }

    private async Task RouteAsync(HttpContext http)
    {
        var peer = PeerConnection.Of(http);
        if (EdgeRoute.Find(http.Request.Path.Value, peer?.Name) is not { } route)
            await Answer.Error(http, StatusCodes.Status404NotFound, "path was not found");
        else if (!string.Equals(http.Request.Method, route.Method, StringComparison.Ordinal))
        {
            http.Response.Headers.Allow = route.Method;
            await Answer.Error(http, StatusCodes.Status405MethodNotAllowed, $"method is not allowed, but [{route.Method}] are");
        }
        else if (peer == null)
            await Answer.Nothing(http, StatusCodes.Status400BadRequest);
        else if (route.Endpoint == EdgeEndpoint.DataOut)
            await DataOutAsync(http, peer, route.DeviceId);
        else
            await OwnAsync(http, peer, route);
    }

    private async Task OwnAsync(HttpContext http, Peer peer, EdgeRoute route)
    {
        var refusal = peer.IsBootstrap || Check(peer) != Chaining.Valid ? StatusCodes.Status401Unauthorized : Owns(peer, route.DeviceId);
        if (refusal != 0)
        {
            await RefuseAsync(http, refusal);
            return;
        }

        var key = Gate.KeyOf(peer);
        if (route.Endpoint == EdgeEndpoint.ControlOut)
        {
            var body = await MessageBody.ReadAsync(http);
            await (body.Status != 0 ? Answer.Error(http, body.Status, body.Code, body.Problem!) : Answer.Nothing(http, StatusCodes.Status200OK));
        }
        else if (!AcceptHeader.AllowsJson(http.Request.Headers.Accept))
            await Answer.Error(http, StatusCodes.Status406NotAcceptable, "unsupported media type requested, only [application/json] is available");
        else if (route.Endpoint == EdgeEndpoint.ControlIn)
            await ControlAsync(http, key);
        else
            await ConfigurationAsync(http, key);
    }

    private async Task ControlAsync(HttpContext http, ObjectKey key)
    {
        switch ((await backend.RegistrationAsync(key, http.RequestAborted)).Status)
        {
            case RemoteRegistration.Registered:
                await Answer.Empty(http);
                break;
            case RemoteRegistration.Unregistered:
                EdgeMetrics.Unregistration.Inc();
                await Answer.Body(http, Message.Command(new Command { Name = Commands.Disconnect }, time.GetUtcNow()), WireJson.Types.Message);
                break;
            default:
                await Answer.Nothing(http, StatusCodes.Status404NotFound);
                break;
        }
    }

    private async Task ConfigurationAsync(HttpContext http, ObjectKey key)
    {
        var preference = Preference.Of(http.Request.Headers);
        var started = time.GetTimestamp();
        while (true)
        {
            var content = await backend.ConfigurationAsync(key, http.RequestAborted);
            var version = Convert.ToHexStringLower(SHA256.HashData(content))[..32];
            http.Response.Headers.ETag = $"\"{version}\"";
            if (!preference.Knows(version))
            {
                using var document = JsonDocument.Parse(content);
                await Answer.Body(http, Message.Data(Directives.Device, document.RootElement, time.GetUtcNow()), WireJson.Types.Message);
                return;
            }

            // Nobody tells us of news: whoever waits for them costs the backend as much as one who asks every five seconds.
            var left = preference.Wait - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                await Answer.Nothing(http, StatusCodes.Status304NotModified);
                return;
            }

            await Task.Delay(left < LookEvery ? left : LookEvery, time, http.RequestAborted);
        }
    }

    private async Task DataOutAsync(HttpContext http, Peer peer, string deviceId)
    {
        var chaining = Check(peer);
        if (chaining == Chaining.Foreign || (peer.IsBootstrap && chaining == Chaining.Expired))
        {
            await RefuseAsync(http, StatusCodes.Status401Unauthorized);
            return;
        }

        if (peer.IsBootstrap && !newcomers.TryTake())
        {
            await Answer.Later(http, StatusCodes.Status503ServiceUnavailable);
            return;
        }

        var body = await MessageBody.ReadAsync(http);
        if (chaining == Chaining.Expired && (body.Message?.Directive != Directives.Registration || time.GetUtcNow() > peer.NotAfter + options.RenewalGrace))
            await RefuseAsync(http, StatusCodes.Status401Unauthorized);
        else if (body.Status != 0)
            await Answer.Error(http, body.Status, body.Code, body.Problem!);
        else if ((!peer.IsBootstrap || body.Message!.Directive is not (Directives.Enrolment or Directives.Registration)) && Owns(peer, deviceId) is not 0 and var refusal)
            await RefuseAsync(http, refusal);
        else if (!ObjectName.IsValid(deviceId) || HardwareLimit.IsExceeded(body.Message!.Content))
            await Answer.Nothing(http, ObjectName.IsValid(deviceId) ? StatusCodes.Status413PayloadTooLarge : StatusCodes.Status400BadRequest);
        else
            await DirectiveAsync(http, peer, new ObjectKey(Gate.KeyOf(peer).Namespace, deviceId), body.Message!);
    }

    private Task DirectiveAsync(HttpContext http, Peer peer, ObjectKey key, Message message) => message.Directive switch
    {
        Directives.Enrolment => EnrolAsync(http, key, message),
        Directives.Registration => RegisterAsync(http, peer, key, message),
        Directives.Heartbeat => BeatAsync(http, key, message),
        Directives.Ansible => PlaybooksAsync(http, key, message),
        _ => Answer.Nothing(http, StatusCodes.Status400BadRequest),
    };

    private async Task EnrolAsync(HttpContext http, ObjectKey key, Message message)
    {
        if (Read(message, WireJson.Types.EnrolmentInfo) is not { } info || (info.TargetNamespace is { Length: > 0 } wished && !ObjectName.IsNamespace(wished)))
        {
            await Answer.Nothing(http, StatusCodes.Status400BadRequest);
            return;
        }

        try
        {
            var target = new ObjectKey(string.IsNullOrEmpty(info.TargetNamespace) ? Names.EnrolmentNamespace : info.TargetNamespace, key.Name);
            await Answer.Empty(http, await backend.EnrolAsync(target, Raw(message), http.RequestAborted) ? StatusCodes.Status208AlreadyReported : StatusCodes.Status200OK);
        }
        catch (RemoteException failed)
        {
            LogFailed(failed.Message);
            await Answer.Nothing(http, StatusCodes.Status400BadRequest);
        }
    }

    private async Task RegisterAsync(HttpContext http, Peer peer, ObjectKey key, Message message)
    {
        if (Read(message, WireJson.Types.RegistrationInfo) is not { } info || SigningRequest.Read(info.CertificateRequest) is not { } csr)
        {
            await Answer.Nothing(http, StatusCodes.Status400BadRequest);
            return;
        }

        try
        {
            var (status, home) = await backend.RegistrationAsync(key, http.RequestAborted);
            if (status == RemoteRegistration.Unknown)
            {
                await Answer.Nothing(http, StatusCodes.Status404NotFound);
                return;
            }

            // The backend says where a newcomer lives; a device that has a certificate stays where it is.
            if (peer.IsBootstrap && home is { Length: > 0 } && ObjectName.IsNamespace(home))
                key = new ObjectKey(home, key.Name);
            var issued = authority.Sign(csr, key.Name, key.Namespace);
            await backend.RegisterAsync(key, Raw(message), http.RequestAborted);
            EdgeMetrics.SuccessfulRegistration.Inc();
            var content = WireJson.ToElement(new RegistrationResponse { Certificate = issued.Pem }, WireJson.Types.RegistrationResponse);
            await Answer.Body(http, new MessageResponse { Content = content, Directive = message.Directive, MessageId = message.MessageId }, WireJson.Types.MessageResponse);
        }
        catch (RemoteException)
        {
            EdgeMetrics.FailedRegistration.Inc();
            throw;
        }
    }

    private async Task BeatAsync(HttpContext http, ObjectKey key, Message message)
    {
        if (Read(message, WireJson.Types.Heartbeat) == null)
        {
            await Answer.Nothing(http, StatusCodes.Status400BadRequest);
            return;
        }

        await backend.BeatAsync(key, Raw(message), http.RequestAborted);
        EdgeMetrics.Heartbeat.WithLabels(key.Namespace, key.Name).Inc();
        await Answer.Empty(http);
    }

    private async Task PlaybooksAsync(HttpContext http, ObjectKey key, Message message)
    {
        var text = await backend.PlaybooksAsync(key, http.RequestAborted);
        await Answer.Body(http, Playbooks.PlaybookDelivery.Response(message, text), WireJson.Types.MessageResponse);
    }

    private Chaining Check(Peer peer) => peer.Check(authority.State.Trusted, time.GetUtcNow());

    private int Owns(Peer peer, string deviceId)
    {
        if (!string.Equals(peer.Name, deviceId, StringComparison.Ordinal) || !ObjectName.IsNamespace(Gate.KeyOf(peer).Namespace))
            return StatusCodes.Status403Forbidden;
        return devices.TryTake(peer.Name) ? 0 : StatusCodes.Status429TooManyRequests;
    }

    private static Task RefuseAsync(HttpContext http, int status)
    {
        if (status == StatusCodes.Status401Unauthorized)
            EdgeMetrics.FailedAuthentication.Inc();
        else if (status == StatusCodes.Status403Forbidden)
            EdgeMetrics.InvalidOwner.Inc();
        return status == StatusCodes.Status429TooManyRequests ? Answer.Later(http, status) : Answer.Nothing(http, status);
    }

    private static T? Read<T>(Message message, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class, new()
    {
        try
        {
            return WireJson.ReadContent(message.Content, type);
        }
        catch (WireFormatException)
        {
            return null;
        }
    }

    private static byte[] Raw(Message message) =>
        message.Content is { ValueKind: JsonValueKind.Object } content ? JsonMarshal.GetRawUtf8Value(content).ToArray() : "{}"u8.ToArray();

    [LoggerMessage(Level = LogLevel.Warning, Message = "A request could not be answered: {Problem}")]
    private partial void LogFailed(string problem);
}
