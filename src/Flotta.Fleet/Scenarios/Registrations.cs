using Flotta.Fleet.Devices;
using Flotta.Fleet.Reports;
using Flotta.Fleet.Transport;

namespace Flotta.Fleet.Scenarios;

/// <summary>
/// Lets the devices of a fleet in as fast as the server does it: enrolment, approval, registration, over connections with the bootstrap certificate that stay open, each for one
/// device after the other. What it finds is what the control plane can do; a device of its own pays for a TLS handshake on top.
/// </summary>
internal sealed class Registrations : IDisposable
{
    private readonly IReadOnlyList<SimulatedDevice> _devices;
    private readonly DeviceLink[] _links;
    private readonly TimeProvider _time;
    private int _next;

    public Registrations(Fleet fleet, FleetOptions options, TimeProvider time)
    {
        _time = time;
        _devices = [.. fleet.Devices.Where(device => device.Known() is null)];
        _links = [.. _devices.Take(options.AtOnce).Select(device => device.OpenAsNewcomer())];
    }

    /// <summary>The first device of each connection, which opens it.</summary>
    public Task PrepareAsync(CancellationToken cancellationToken) => Task.WhenAll(_links.Select(link => NextAsync(link, cancellationToken)));

    /// <summary>All others. As many as there are connections are under way at any time.</summary>
    public async Task<StageReport> RunAsync(CancellationToken cancellationToken)
    {
        var (began, before) = (_time.GetTimestamp(), _next);
        await Task.WhenAll(_links.Select(async link =>
        {
            while (await NextAsync(link, cancellationToken))
            {
                // Until nobody is left.
            }
        }));
        return StageReport.Of(_devices.Count - before, _time.GetElapsedTime(began));
    }

    public void Dispose()
    {
        foreach (var link in _links)
            link.Dispose();
    }

    private async Task<bool> NextAsync(DeviceLink link, CancellationToken cancellationToken)
    {
        var place = Interlocked.Increment(ref _next) - 1;
        if (place >= _devices.Count)
            return false;
        await _devices[place].IdentityAsync(link, cancellationToken);
        return true;
    }
}
