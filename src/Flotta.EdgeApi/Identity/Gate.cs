using Flotta.EdgeApi.Certificates;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Sessions;
using Flotta.Kube;
using Flotta.Resources;
using Microsoft.AspNetCore.Http;

namespace Flotta.EdgeApi.Identity;

/// <param name="Refusal">The status to answer with; 0 when the device is admitted.</param>
/// <param name="Device">Null where the certificate is good but the device is gone.</param>
internal readonly record struct Admission(int Refusal, EdgeDevice? Device, Session? Session)
{
    public static Admission Refused(int status) => new(status, null, null);
}

/// <summary>Lets a device in to what is its own: by its own, valid, recorded certificate.</summary>
internal sealed class Gate(KubeApi api, FleetCaches fleet, Authority authority, SessionTable sessions, TimeProvider time)
{
    // Looking again costs a request; a fleet of refused certificates must not become a storm on the API server.
    private readonly RateLimit secondLooks = new(50, 200, time);

    public Chaining Check(Peer peer) => peer.Check(authority.State.Trusted, time.GetUtcNow());

    /// <summary>Looks once more for a new CA before somebody is taken for a stranger.</summary>
    public async ValueTask<Chaining> CheckAsync(Peer peer, CancellationToken cancellationToken)
    {
        var chaining = Check(peer);
        if (chaining != Chaining.Foreign)
            return chaining;
        await authority.LookAgainAsync(cancellationToken);
        return Check(peer);
    }

    public async ValueTask<Admission> AdmitAsync(Peer peer, string deviceId, CancellationToken cancellationToken)
    {
        if (peer.IsBootstrap || await CheckAsync(peer, cancellationToken) != Chaining.Valid)
            return Unauthorized();
        if (!string.Equals(peer.Name, deviceId, StringComparison.Ordinal))
            return Foreign();
        var key = KeyOf(peer);
        if (!ObjectName.IsValid(key.Name) || !ObjectName.IsNamespace(key.Namespace))
            return Foreign();
        var device = fleet.Devices.Get(key);
        if (device == null || !DeviceRule.Accepts(device, peer.Serial))
        {
            // It may have been let in, or have registered, with another replica a moment ago. A device that is told that it is gone stops for good: that is not said from memory.
            device = secondLooks.TryTake() ? await api.GetAsync<EdgeDevice>(key, cancellationToken) : throw new BusyException();
            if (device == null)
                return new(0, null, null);
            if (!DeviceRule.Accepts(device, peer.Serial))
                return Unauthorized();
            fleet.Devices.Remember(device);
        }

        var session = sessions.For(key);
        return session.Limit.TryTake() ? new(0, device, session) : Admission.Refused(StatusCodes.Status429TooManyRequests);
    }

    /// <summary>The session of a device whose last report is still true; null where there is anything to look at.</summary>
    public Session? Expect(Peer peer, string deviceId)
    {
        if (!string.Equals(peer.Name, deviceId, StringComparison.Ordinal))
            return null;
        var key = KeyOf(peer);
        return sessions.Find(key) is { Report: { } last } session && last.Epoch == session.Epoch && fleet.Devices.Get(key) is { } device
            && string.Equals(last.ResourceVersion, device.Metadata.ResourceVersion, StringComparison.Ordinal)
            ? session
            : null;
    }

    /// <summary>Whether a device that was let in would be let in now; asked again before a held request is answered.</summary>
    public bool StillAdmits(Peer peer, EdgeDevice device) => Check(peer) == Chaining.Valid && DeviceRule.Accepts(device, peer.Serial);

    public static ObjectKey KeyOf(Peer peer) => new(peer.Namespace.Length == 0 ? Names.EnrolmentNamespace : peer.Namespace, peer.Name);

    private static Admission Unauthorized()
    {
        EdgeMetrics.FailedAuthentication.Inc();
        return Admission.Refused(StatusCodes.Status401Unauthorized);
    }

    private static Admission Foreign()
    {
        EdgeMetrics.InvalidOwner.Inc();
        return Admission.Refused(StatusCodes.Status403Forbidden);
    }
}
