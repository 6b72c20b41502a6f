using Flotta.Agent.Desired;
using Flotta.Agent.Enrolment;
using Flotta.Agent.Heartbeats;
using Flotta.Agent.Identities;
using Flotta.Wire;
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

/// <summary>What runs while the device has an identity: control and configuration (the link), heartbeats and renewal, side by side.</summary>
internal sealed class Session(
    Uplink uplink,
    IdentityStore store,
    Registration registration,
    DesiredState desired,
    IWorkloads workloads,
    EventQueue events,
    DataStates data,
    PlaybookReports playbooks,
    Func<HardwareInfo> hardware,
    DutyFacts facts,
    HeartbeatPace pace,
    ILoggerFactory loggers,
    TimeProvider time)
{
    public TimeSpan ReconnectAfter { get; private set; }

    public async Task<SessionEnd> RunAsync(CancellationToken cancellationToken)
    {
        var transport = uplink.Outbound;
        using var heartbeats = new HeartbeatLoop(
            transport, desired, workloads, events, data, playbooks, hardware, pace, () => uplink.Link.Holding, loggers.CreateLogger<HeartbeatLoop>(), time) { Facts = facts };
        using var renewal = new RenewalLoop(transport, store, registration, loggers.CreateLogger<RenewalLoop>(), time);
        renewal.Renewed += heartbeats.LookNow;
        heartbeats.Missing += uplink.Link.AskNow;
        heartbeats.Acknowledged += store.Confirm;
        heartbeats.Acknowledged += uplink.Proven;

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var listening = uplink.Link.RunAsync(desired, transport.Identity!.CommonName, stop.Token);
        var renewing = renewal.RunAsync(stop.Token);
        Task[] all = [listening, renewing, heartbeats.RunAsync(stop.Token)];
        var first = await Task.WhenAny(all);
        await stop.CancelAsync();
        await Task.WhenAll(all).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        // Whoever ended first has the reason: also when it is that we are told to stop, or a fault.
        await first;
        if (first == renewing)
            return SessionEnd.Rejected;
        var end = await listening;
        ReconnectAfter = end.ReconnectAfter ?? TimeSpan.Zero;
        return end.IsDisconnect ? SessionEnd.Disconnected : SessionEnd.Reconnect;
    }
}
