using System.Globalization;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Requests;
using Flotta.EdgeApi.Sessions;
using Flotta.EdgeApi.Statuses;
using Flotta.Kube;
using Flotta.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.LogStreams;

/// <summary>
/// <c>flotta logs</c>: a person asks, the device is told so where it waits for its configuration, and what it sends is handed on. A person may ask any replica: one that does
/// not have the device asks the one that has, with the person's own token, and so with no more rights than theirs.
/// </summary>
internal sealed partial class LogDesk(
    FleetCaches fleet, SessionTable sessions, LogStreamTable streams, PersonRights rights, Neighbours neighbours, LogLimits limits, ILoggerFactory loggers, TimeProvider time)
{
    /// <summary>On a request that another replica has passed on: it goes no further.</summary>
    public const string PassedOn = "Flotta-Passed-On";

    private static readonly TimeSpan Recently = TimeSpan.FromSeconds(10);
    private readonly ILogger logger = loggers.CreateLogger<LogDesk>();

    /// <summary>Ends all looks, for a server that stops.</summary>
    public CancellationToken Stopping { get; set; }

    /// <summary>GET by a person.</summary>
    public async Task AnswerAsync(HttpContext http, ObjectKey device)
    {
        var token = http.Request.Headers.Authorization is [{ } header] && header.StartsWith("Bearer ", StringComparison.Ordinal) ? header["Bearer ".Length..].Trim() : null;
        var verdict = await rights.AskAsync(token, device, http.RequestAborted);
        if (verdict.Refusal != 0)
        {
            if (verdict.Refusal == StatusCodes.Status401Unauthorized)
                EdgeMetrics.FailedAuthentication.Inc();
            await Answer.Error(http, verdict.Refusal, verdict.Problem!);
            return;
        }

        var (query, problem) = LogQuery.Of(device, http.Request.Query);
        if (query is null)
            await Answer.Error(http, StatusCodes.Status400BadRequest, problem!);
        else if (fleet.Devices.Get(device) is not { } known)
            await Answer.Error(http, StatusCodes.Status404NotFound, $"there is no EdgeDevice {device.Name} in the namespace {device.Namespace}");
        else if (sessions.Find(device) is { } session && IsHere(session))
            await LookAsync(http, query, session, verdict.Name);
        else if (!Presence.IsConnected(known.Status) || known.Status?.ConnectedTo is not { Length: > 0 } replica)
            await Answer.Error(http, StatusCodes.Status503ServiceUnavailable, $"the device {device.Name} is not connected");
        else if (neighbours.IsUs(replica) || http.Request.Headers.ContainsKey(PassedOn))
            await Answer.Error(http, StatusCodes.Status503ServiceUnavailable, $"the device {device.Name} was heard of, but does not wait for its configuration at this moment; try again");
        else
            await neighbours.PassOnAsync(http, replica, query, token!, Stopping);
    }

    /// <summary>POST by a device: the lines that it was asked for. Answered, and so ended, when nobody reads any more.</summary>
    public async Task TakeAsync(HttpContext http, Session session, string name)
    {
        if (streams.Find(session.Device, name) is not { } stream)
        {
            await Answer.Error(http, StatusCodes.Status404NotFound, "nobody waits for this");
            return;
        }

        // What it may be is for the reader's side to say.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
        if (http.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
        if (!stream.TryArrive(http.Request.Body))
        {
            await Answer.Error(http, StatusCodes.Status409Conflict, "this has come already");
            return;
        }

        // Whoever reads the body ends when it breaks; until then it has to stay.
        await stream.Ended;
        await Answer.Empty(http);
    }

    private bool IsHere(Session session) => session.Holds > 0 || time.GetElapsedTime(session.LastSeen) < Recently;

    private async Task LookAsync(HttpContext http, LogQuery query, Session session, string person)
    {
        if (!session.TakesCommands)
        {
            await Answer.Error(http, StatusCodes.Status501NotImplemented, $"the agent of {query.Device.Name} does not send logs on demand: it is the original's, an older one, or a worker of yggdrasil");
            return;
        }

        var (stream, problem) = streams.Open(query.Device, person);
        if (stream is null)
        {
            await Answer.Error(http, StatusCodes.Status429TooManyRequests, problem!);
            return;
        }

        try
        {
            LogBegins(person, query.Device, query.Workload);
            session.Ask(new Command { Name = Commands.Logs, Arguments = query.For(stream.Name).ToArguments() });
            using var either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, Stopping);
            Stream body;
            try
            {
                body = await stream.Arrived.WaitAsync(limits.Arrival, time, either.Token);
            }
            catch (TimeoutException)
            {
                await Answer.Error(http, StatusCodes.Status504GatewayTimeout, string.Create(CultureInfo.InvariantCulture, $"the device {query.Device.Name} did not answer within {limits.Arrival.TotalSeconds:0} seconds"));
                return;
            }
            catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
            {
                await Answer.Error(http, StatusCodes.Status503ServiceUnavailable, "this replica of the Edge API stops; ask again");
                return;
            }

            await LogRelay.RunAsync(body, http, query.Follow, limits, time, Stopping);
        }
        finally
        {
            streams.Close(stream);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Person} looks at the logs of {Workload} on {Device}")]
    private partial void LogBegins(string person, ObjectKey device, string workload);
}
