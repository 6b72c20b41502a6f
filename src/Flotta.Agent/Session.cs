using Flotta.Agent.Desired;
using Flotta.Agent.Enrolment;
using Flotta.Agent.Heartbeats;
using Flotta.Agent.Identities;
using Flotta.Wire;
using Flotta.Yggdrasil.Facts;
using Flotta.Yggdrasil.Settings;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent;

/// <summary>Why a session ended.</summary>
internal enum SessionEnd
{
    /// <summary>The server wants no more of this device.</summary>
    Disconnected,

    /// <summary>The server asked to come back later.</summary>
    Reconnect,

    /// <summary>The server takes none of our certificates: enrol again.</summary>
    Rejected,
}

/// <summary>What runs while the device has an identity: control, configuration, heartbeats and renewal, side by side.</summary>
internal sealed class Session(
    HttpsTransport transport,
    IdentityStore store,
    Registration registration,
    DesiredState desired,
    IWorkloads workloads,
    EventQueue events,
    Tags tags,
    Func<HardwareInfo> hardware,
    PollOptions polls,
    ILoggerFactory loggers,
    TimeProvider time)
{
    public TimeSpan ReconnectAfter { get; private set; }

    public async Task<SessionEnd> RunAsync(CancellationToken cancellationToken)
    {
        var data = new DataLoop(transport, desired, polls, loggers.CreateLogger<DataLoop>(), time);
        var status = new StatusSource(tags, transport.Identity!.CommonName, loggers.CreateLogger<StatusSource>());
        using var control = new ControlLoop(transport, status, () => data.IsHeld, polls, loggers.CreateLogger<ControlLoop>(), time);
        using var heartbeats = new HeartbeatLoop(transport, desired, workloads, events, hardware, loggers.CreateLogger<HeartbeatLoop>(), time);
        using var renewal = new RenewalLoop(transport, store, registration, loggers.CreateLogger<RenewalLoop>(), time);
        data.Missing += control.AskNow;
        heartbeats.Missing += control.AskNow;
        heartbeats.Acknowledged += store.Confirm;

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var controlling = control.RunAsync(stop.Token);
        var renewing = renewal.RunAsync(stop.Token);
        Task[] all = [controlling, renewing, data.RunAsync(stop.Token), heartbeats.RunAsync(stop.Token)];
        var first = await Task.WhenAny(all);
        await stop.CancelAsync();
        await Task.WhenAll(all).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        // Whoever ended first has the reason: also when it is that we are told to stop, or a fault.
        await first;
        if (first == renewing)
            return SessionEnd.Rejected;
        var end = await controlling;
        ReconnectAfter = end.ReconnectAfter ?? TimeSpan.Zero;
        return end.IsDisconnect ? SessionEnd.Disconnected : SessionEnd.Reconnect;
    }
}
