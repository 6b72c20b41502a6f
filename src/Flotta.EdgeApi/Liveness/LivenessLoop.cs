using Flotta.EdgeApi.Configuration;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Sessions;
using Flotta.EdgeApi.Statuses;
using Flotta.Kube;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.Liveness;

/// <summary>Who is there, in memory; the API server hears of it when it changes and every ten minutes.</summary>
internal sealed partial class LivenessLoop(FleetCaches fleet, SessionTable sessions, StatusWriter writer, EdgeApiOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private const int SilentPeriods = 3;
    private static readonly TimeSpan Correction = TimeSpan.FromSeconds(5);

    // Longer than a write is tried.
    private static readonly TimeSpan SilentAgain = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(2);

    private readonly ILogger logger = loggers.CreateLogger<LivenessLoop>();
    private readonly Sparingly failed = new(time);

    /// <summary>Devices that were ours before a restart are either heard of again or told silent.</summary>
    public void Resume()
    {
        foreach (var device in fleet.Devices.All.Where(device => Presence.IsConnectedTo(device.Status, options.Replica)))
        {
            var session = sessions.For(ObjectKey.Of(device));
            session.IsConnected = true;
            session.ConnectedWritten = time.GetTimestamp();
        }
    }

    /// <summary>A request of the device has arrived.</summary>
    public void Heard(Session session)
    {
        session.Seen(time.GetTimestamp());
        if (!session.IsConnected)
            WriteHere(session);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(Tick, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
                return;
            foreach (var session in sessions.All)
                TryLook(session);
            EdgeMetrics.Sessions.Set(sessions.Count);
            EdgeMetrics.Waiting.Set(writer.Waiting);
        }
    }

    // One that cannot be judged keeps nobody from hearing of the others.
    private void TryLook(Session session)
    {
        try
        {
            Look(session);
        }
        catch (Exception error)
        {
            if (failed.Count() is { } times)
                LogFailed(session.Device, error.Message, times);
        }
    }

    private void Look(Session session)
    {
        var device = fleet.Devices.Get(session.Device);
        if (!session.IsConnected && !IsUntold(session, device))
            return;
        if (device == null)
        {
            sessions.Remove(session.Device);
            return;
        }

        var silence = time.GetElapsedTime(session.LastSeen);
        if (silence > DeviceAssembly.PeriodOf(device, fleet.SetFor(device)) * SilentPeriods && !IsWaiting(session, device))
        {
            (session.IsConnected, session.ConnectedWritten) = (false, time.GetTimestamp());
            var now = time.GetUtcNow();
            if (Presence.IsConnectedTo(device.Status, options.Replica))
                writer.Apply(session.Device, current => current with { Status = Presence.Silent(current.StatusOf(), options.Replica, now - silence, now) });
            else if (session.Holds == 0)
                sessions.Remove(session.Device); // another replica has it
        }
        else if (time.GetElapsedTime(session.ConnectedWritten) > (Presence.IsConnected(device.Status) ? Presence.WriteEvery : Correction))
        {
            // Also when somebody else, who does not hear of it any more, has taken it for silent.
            WriteHere(session);
        }
    }

    // It was to be said that the device is silent, and the object does not say so.
    private bool IsUntold(Session session, Resources.EdgeDevice? device) =>
        Presence.IsConnectedTo(device?.Status, options.Replica) && time.GetElapsedTime(session.ConnectedWritten) > SilentAgain;

    // A quiet device (or one that another replica may have made quiet) waits for news, or has just been answered and comes again at once; a period later that was into the void.
    private bool IsWaiting(Session session, Resources.EdgeDevice device) =>
        session.IsQuiet != false && (session.Holds > 0 || (session.Released != 0 && time.GetElapsedTime(session.Released) < DeviceAssembly.PeriodOf(device, fleet.SetFor(device))));

    private void WriteHere(Session session)
    {
        session.IsConnected = true;
        session.ConnectedWritten = time.GetTimestamp();
        var now = time.GetUtcNow();
        writer.Apply(session.Device, device => device with { Status = Presence.Here(device.StatusOf(), options.Replica, now, comes: true) });
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Whether {Device} is there cannot be told: {Error} ({Times} such failures since this was last told)")]
    private partial void LogFailed(ObjectKey device, string error, int times);
}
