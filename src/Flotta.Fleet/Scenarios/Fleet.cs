using Flotta.Fleet.Credentials;
using Flotta.Fleet.Devices;
using Flotta.Fleet.Reports;
using Flotta.Fleet.Transport;

namespace Flotta.Fleet.Scenarios;

/// <summary>The devices of a run and what they have in common.</summary>
internal sealed class Fleet
{
    private readonly FleetOptions _options;
    private readonly TimeProvider _time;

    public Fleet(FleetOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        Census = new Census(time);
        Server = new EdgeServer(options.Server, options.PathPrefix, options.Roots, options.Http, options.RequestTimeout, Statistics, time);
        var identities = options.StateFolder is { } folder ? new IdentityFolder(folder) : null;
        Devices =
        [
            .. Enumerable.Range(1, options.Devices).Select(number =>
                new SimulatedDevice($"{options.Prefix}-{number:D5}", number, Server, options.Bootstrap, options.Settings, identities, Census)),
        ];
        foreach (var _ in Devices)
            Census.Joined();
    }

    public IReadOnlyList<SimulatedDevice> Devices { get; }

    public Census Census { get; }

    public Statistics Statistics { get; } = new();

    public EdgeServer Server { get; }

    /// <summary>Switches every device on, at a random moment of the ramp. The task ends when the last device has ended.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Devices.Select(device => RunAsync(device, cancellationToken)));

    /// <summary>Gives each device a certificate of its own, without letting it live.</summary>
    public Task RegisterAsync(CancellationToken cancellationToken) => Task.WhenAll(Devices.Select(async device =>
    {
        await Task.Delay(_options.Ramp * Random.Shared.NextDouble(), _time, cancellationToken);
        await device.IdentityAsync(cancellationToken);
    }));

    private async Task RunAsync(SimulatedDevice device, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(_options.Ramp * Random.Shared.NextDouble(), _time, cancellationToken);
            await device.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Switched off.
        }
    }
}
