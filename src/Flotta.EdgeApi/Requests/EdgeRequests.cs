using Flotta.EdgeApi.Certificates;
using Flotta.EdgeApi.Configuration;
using Flotta.EdgeApi.Control;
using Flotta.EdgeApi.Enrolment;
using Flotta.EdgeApi.Heartbeats;
using Flotta.EdgeApi.Identity;
using Flotta.EdgeApi.Liveness;
using Flotta.EdgeApi.LogStreams;
using Flotta.EdgeApi.Playbooks;
using Flotta.EdgeApi.Registration;
using Flotta.EdgeApi.Sessions;
using Flotta.Kube;
using Flotta.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.Requests;

/// <summary>
/// Everything that a device can ask, in the order in which it is judged: path, method, certificate, body, ownership. Four paths do not need a router, and nothing is
/// allocated for what is refused.
/// </summary>
internal sealed partial class EdgeRequests(
    Gate gate,
    LivenessLoop liveness,
    ControlMessages control,
    ConfigurationDelivery configurations,
    EnrolmentDesk enrolment,
    RegistrationDesk registration,
    HeartbeatReception heartbeats,
    PlaybookDelivery playbooks,
    LogDesk logs,
    EdgeApiOptions options,
    ILoggerFactory loggers,
    TimeProvider time)
{
    private readonly ILogger logger = loggers.CreateLogger<EdgeRequests>();
    private readonly Sparingly putOff = new(time);
    private readonly Sparingly unfit = new(time);
    private readonly RateLimit newcomers = new(options.BootstrapRequestsPerSecond, options.BootstrapRequestsPerSecond * 2, time);
    private readonly KeyedLimits each = new(options.NewcomerRequestsPerSecond, options.NewcomerRequestsPerSecond * 10, 50_000, time);

    public async Task AnswerAsync(HttpContext http)
    {
        var started = time.GetTimestamp();
        await AnswerOrFailAsync(http);
        EdgeMetrics.Observe(http, time.GetElapsedTime(started).TotalSeconds);
    }

    private async Task AnswerOrFailAsync(HttpContext http)
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
            // Too large, too slow, or not HTTP.
            await Answer.Nothing(http, bad.StatusCode);
        }
        catch (BusyException) when (!http.Response.HasStarted)
        {
            await Answer.Later(http, StatusCodes.Status503ServiceUnavailable);
        }
        catch (Exception error) when (Unavailable.Is(error) && !http.Response.HasStarted)
        {
            if (putOff.Count() is { } times)
                LogUnavailable(error.Message, times);
            await Answer.Later(http, StatusCodes.Status503ServiceUnavailable, (error as KubeException)?.RetryAfter);
        }
        catch (KubeException refused) when (refused.IsUnfit && !http.Response.HasStarted)
        {
            // Why it was refused quotes what the device sent, which goes into no log.
            if (unfit.Count() is { } times)
                LogUnfit(refused.Reason, times);
            await Answer.Nothing(http, StatusCodes.Status422UnprocessableEntity);
        }
        catch (Exception error)
        {
            LogFailed(error, http.Request.Method);
            if (http.Response.HasStarted)
                http.Abort();
            else
                await FailAsync(http);
        }
    }

    private static Task FailAsync(HttpContext http)
    {
        http.Response.Clear();
        return Answer.Nothing(http, StatusCodes.Status500InternalServerError);
    }

    private Task RouteAsync(HttpContext http)
    {
        var peer = PeerConnection.Of(http);
        if (peer is not null && LogQuery.DeviceIn(http.Request.Path.Value) is { } looked)
            return HttpMethods.IsGet(http.Request.Method) ? logs.AnswerAsync(http, looked) : Answer.Error(http, StatusCodes.Status405MethodNotAllowed, "logs are only read");
        if (EdgeRoute.Find(http.Request.Path.Value, peer?.Name) is not { } route)
            return Answer.Error(http, StatusCodes.Status404NotFound, $"path {Shortened(http.Request.Path.Value)} was not found");
        if (!string.Equals(http.Request.Method, route.Method, StringComparison.Ordinal))
        {
            http.Response.Headers.Allow = route.Method;
            return Answer.Error(http, StatusCodes.Status405MethodNotAllowed, $"method {Shortened(http.Request.Method)} is not allowed, but [{route.Method}] are");
        }

        if (peer == null)
            return Answer.Nothing(http, StatusCodes.Status400BadRequest);
        return route.Endpoint == EdgeEndpoint.DataOut ? DataOutAsync(http, peer, route.DeviceId) : OwnAsync(http, peer, route);
    }

    private async Task OwnAsync(HttpContext http, Peer peer, EdgeRoute route)
    {
        var admission = await gate.AdmitAsync(peer, route.DeviceId, http.RequestAborted);
        if (admission.Refusal == StatusCodes.Status401Unauthorized && gate.Check(peer) == Chaining.Foreign)
            Close(http);
        if (admission.Refusal is StatusCodes.Status401Unauthorized or StatusCodes.Status429TooManyRequests)
        {
            await RefuseAsync(http, admission.Refusal);
            return;
        }

        if (route.Endpoint == EdgeEndpoint.ControlOut)
        {
            await ControlOutAsync(http, peer, admission);
            return;
        }

        if (route.Endpoint == EdgeEndpoint.Logs)
        {
            if (admission.Refusal != 0)
                await RefuseAsync(http, admission.Refusal);
            else if (Welcome(peer, admission) is not null)
                await logs.TakeAsync(http, admission.Session!, route.Stream);
            else
                await Answer.Nothing(http, StatusCodes.Status404NotFound);
            return;
        }

        if (!AcceptHeader.AllowsJson(http.Request.Headers.Accept))
            await Answer.Error(http, StatusCodes.Status406NotAcceptable, "unsupported media type requested, only [application/json] is available");
        else if (admission.Refusal != 0)
            await RefuseAsync(http, admission.Refusal);
        else if (route.Endpoint == EdgeEndpoint.ControlIn)
            await control.AnswerAsync(http, Welcome(peer, admission));
        else if (Welcome(peer, admission) is { } device)
            await configurations.AnswerAsync(http, peer, device, admission.Session!);
        else
            await Answer.Nothing(http, StatusCodes.Status404NotFound);
    }

    /// <summary>yggdrasil tells who it is connected to. Read, because a malformed message deserves to be told so, and forgotten.</summary>
    private async Task ControlOutAsync(HttpContext http, Peer peer, Admission admission)
    {
        var body = await MessageBody.ReadAsync(http);
        if (body.Status != 0)
            await Answer.Error(http, body.Status, body.Code, body.Problem!);
        else if (admission.Refusal != 0)
            await RefuseAsync(http, admission.Refusal);
        else
        {
            Welcome(peer, admission);
            await Answer.Nothing(http, StatusCodes.Status200OK);
        }
    }

    private async Task DataOutAsync(HttpContext http, Peer peer, string deviceId)
    {
        var chaining = await gate.CheckAsync(peer, http.RequestAborted);
        if (chaining == Chaining.Foreign || (peer.IsBootstrap && chaining == Chaining.Expired))
        {
            if (chaining == Chaining.Foreign)
                Close(http);
            await UnauthorizedAsync(http);
            return;
        }

        if (peer.IsBootstrap && !newcomers.TryTake())
        {
            await Answer.Later(http, StatusCodes.Status503ServiceUnavailable);
            return;
        }

        // A heartbeat that says what the last one said is most of what there is to do.
        var beat = chaining == Chaining.Valid && !peer.IsBootstrap ? gate.Expect(peer, deviceId) : null;
        var body = await MessageBody.ReadAsync(http, beat == null ? null : beat.SaysTheSame);
        if (body == MessageBody.Known)
        {
            await KnownBeatAsync(http, peer, deviceId, beat!);
            return;
        }

        // An expired certificate is good for a registration, and for nothing else: not even for learning what was wrong with a body.
        if (chaining == Chaining.Expired && body.Message?.Directive != Directives.Registration)
            await UnauthorizedAsync(http);
        else if (body.Status != 0)
            await Answer.Error(http, body.Status, body.Code, body.Problem!);
        else
            await DirectiveAsync(http, peer, chaining, deviceId, body.Message!);
    }

    private async Task KnownBeatAsync(HttpContext http, Peer peer, string deviceId, Session session)
    {
        var admission = await gate.AdmitAsync(peer, deviceId, http.RequestAborted);
        if (admission.Refusal != 0)
            await RefuseAsync(http, admission.Refusal);
        else if (Welcome(peer, admission) is { } device)
            await heartbeats.AcceptAsync(http, device, session);
        else
            await Answer.Nothing(http, StatusCodes.Status404NotFound);
    }

    private async Task DirectiveAsync(HttpContext http, Peer peer, Chaining chaining, string deviceId, Message message)
    {
        if (HardwareLimit.IsExceeded(message.Content))
        {
            await Answer.Error(http, StatusCodes.Status413PayloadTooLarge, "the facts about the hardware are larger than 256 KiB");
            return;
        }

        if (message.Directive is Directives.Enrolment or Directives.Registration && !each.TryTake(peer.IsBootstrap ? deviceId.Length > 253 ? "" : deviceId : peer.Serial))
        {
            await Answer.Later(http, StatusCodes.Status429TooManyRequests);
            return;
        }

        switch (message.Directive)
        {
            case Directives.Enrolment:
                await enrolment.AnswerAsync(http, peer, deviceId, message);
                return;
            case Directives.Registration:
                await registration.AnswerAsync(http, peer, chaining, deviceId, message);
                return;
        }

        if (peer.IsBootstrap)
        {
            EdgeMetrics.InvalidOwner.Inc();
            await Answer.Nothing(http, StatusCodes.Status403Forbidden);
            return;
        }

        var admission = await gate.AdmitAsync(peer, deviceId, http.RequestAborted);
        if (admission.Refusal != 0)
            await RefuseAsync(http, admission.Refusal);
        else if (message.Directive is not (Directives.Heartbeat or Directives.Ansible))
            await Answer.Nothing(http, StatusCodes.Status400BadRequest);
        else if (Welcome(peer, admission) is not { } device)
            await Answer.Nothing(http, StatusCodes.Status404NotFound);
        else if (message.Directive == Directives.Heartbeat)
            await heartbeats.AnswerAsync(http, message, device, admission.Session!);
        else
            await playbooks.AnswerAsync(http, message, device);
    }

    private Resources.EdgeDevice? Welcome(Peer peer, Admission admission)
    {
        if (admission.Device is not { } device)
            return null;
        liveness.Heard(admission.Session!);
        registration.Used(device, admission.Session!, peer.Serial);
        return device;
    }

    // Somebody whose certificate is none of ours has no business to keep a connection.
    private static void Close(HttpContext http) => http.Response.Headers.Connection = "close";

    private static Task UnauthorizedAsync(HttpContext http)
    {
        EdgeMetrics.FailedAuthentication.Inc();
        return Answer.Nothing(http, StatusCodes.Status401Unauthorized);
    }

    private static Task RefuseAsync(HttpContext http, int status) =>
        status == StatusCodes.Status429TooManyRequests ? Answer.Later(http, status) : Answer.Nothing(http, status);

    private static string Shortened(string? text) => text is { Length: > 200 } ? text[..200] : text ?? "";

    [LoggerMessage(Level = LogLevel.Warning, Message = "Devices are told to come back later: {Problem} ({Times} requests since this was last told)")]
    private partial void LogUnavailable(string problem, int times);

    [LoggerMessage(Level = LogLevel.Error, Message = "A {Method} failed")]
    private partial void LogFailed(Exception error, string method);

    [LoggerMessage(Level = LogLevel.Error, Message = "The API server refuses what a device reports ({Reason}): its definitions may be of another version ({Times} since this was last told)")]
    private partial void LogUnfit(string reason, int times);
}
