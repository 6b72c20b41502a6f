using System.Net;
using Flotta.EdgeApi.Certificates;
using Flotta.EdgeApi.Configuration;
using Flotta.EdgeApi.Control;
using Flotta.EdgeApi.Enrolment;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Heartbeats;
using Flotta.EdgeApi.Identity;
using Flotta.EdgeApi.Liveness;
using Flotta.EdgeApi.LogStreams;
using Flotta.EdgeApi.Playbooks;
using Flotta.EdgeApi.Registration;
using Flotta.EdgeApi.Remote;
using Flotta.EdgeApi.Requests;
using Flotta.EdgeApi.Sessions;
using Flotta.EdgeApi.Statuses;
using Flotta.Kube;
using Flotta.Resources;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi;

/// <summary>The device-facing API. Everything it needs to know lies in the Kubernetes API; any number of replicas serve the same fleet.</summary>
public sealed class EdgeApiHost : IAsyncDisposable
{
    private const string Component = "flotta-edge-api";

    private readonly CancellationTokenSource stop = new();
    private readonly CancellationTokenSource stopWriting = new();
    private readonly KubeApi api;
    private readonly FleetCaches fleet;
    private readonly Authority authority;
    private readonly StatusWriter writer;
    private readonly HandshakeLimit handshakes;
    private readonly ConfigurationDelivery configurations;
    private readonly EdgeRequests requests;
    private readonly LivenessLoop liveness;
    private readonly ConfigurationWatch watch;
    private readonly LeaseHolder lease;
    private readonly PublicInfo info;
    private readonly RemoteBackend? remote;
    private readonly TimeProvider time;
    private readonly TimeSpan drain;
    private WebApplication? server;
    private bool draining;
    private Task loops = Task.CompletedTask;
    private Task writing = Task.CompletedTask;

    private EdgeApiHost(EdgeApiOptions options, KubernetesClientConfiguration configuration, ILoggerFactory loggers, TimeProvider time)
    {
        api = KubeApi.Connect(configuration, time, Component);
        fleet = new FleetCaches(api, loggers, time);
        authority = new Authority(api, options, loggers, time);
        remote = options.Remote == null ? null : new RemoteBackend(options.Remote, () => authority.State, time);
        this.time = time;
        drain = options.Drain;
        var recorder = new EventRecorder(api, Component, options.Replica, time);
        var signingRequests = new SigningRequests();
        var sessions = new SessionTable(options, time);
        writer = new StatusWriter(api, fleet.Devices, options, loggers, time);
        handshakes = new HandshakeLimit(options.MaxHandshakes, TimeSpan.FromSeconds(3));
        watch = new ConfigurationWatch(fleet, sessions, loggers);
        liveness = new LivenessLoop(fleet, sessions, writer, options, loggers, time);
        lease = new LeaseHolder(
            api,
            new LeaseHolderOptions { Namespace = options.OperatorNamespace, Name = Names.EdgeApiLeasePrefix + options.Replica, Identity = options.Replica, Annotations = () => AddressForNeighbours(options) },
            loggers,
            time);

        var gate = new Gate(api, fleet, authority, sessions, time);
        var versions = new ConfigurationVersions(fleet, sessions, recorder, loggers);
        configurations = new ConfigurationDelivery(fleet, gate, versions, time) { Stopping = stop.Token };
        info = new PublicInfo(api, authority, options, loggers, time);
        var looks = new LogLimits();
        requests = new EdgeRequests(
            gate,
            liveness,
            new ControlMessages(time),
            configurations,
            new EnrolmentDesk(api, fleet, signingRequests, recorder, options, loggers, time) { Stopping = stop.Token },
            new RegistrationDesk(api, fleet, sessions, authority, signingRequests, writer, options, loggers, time),
            new HeartbeatReception(fleet, writer, versions, new DeviceEvents(recorder), new PlaybookResults(api, fleet, time), options, time),
            new PlaybookDelivery(fleet),
            new LogDesk(fleet, sessions, new LogStreamTable(looks), new PersonRights(api, time), new Neighbours(api, authority, options, looks, time), looks, loggers, time) { Stopping = stop.Token },
            options,
            loggers,
            time);
    }

    /// <summary>Where devices reach us, as bound.</summary>
    public Uri Address { get; private set; } = new("https://127.0.0.1");

    /// <summary>Whether devices can be sent here; else a word why not.</summary>
    public string? NotReadyBecause
    {
        get
        {
            if (server == null)
                return "starting";
            if (Volatile.Read(ref draining))
                return "stopping";
            if (authority.State.Server.NotAfter.ToUniversalTime() < time.GetUtcNow().UtcDateTime)
                return "the server certificate has expired";
            if (remote != null)
                return null;
            if (!fleet.Devices.HasSynced)
                return "the devices have not been read yet";
            // Another replica has its own queue, but also its own connection to the API server.
            if (writer.IsFull)
                return "too many changes wait to be stored";
            return lease.IsHeld || !lease.WasHeld ? null : "the API server has not been reached for half a minute";
        }
    }

    public bool IsReady => NotReadyBecause == null;

    /// <summary>Returns once devices are served. Throws <see cref="EdgeApiStartException"/> with a sentence for a person where that cannot be.</summary>
    public static async Task<EdgeApiHost> StartAsync(
        EdgeApiOptions options, KubernetesClientConfiguration configuration, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(loggers);
        ArgumentNullException.ThrowIfNull(time);
        var host = new EdgeApiHost(options, configuration, loggers, time);
        try
        {
            await host.StartAsync(options, loggers, cancellationToken);
            return host;
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or TimeoutException or KubeException)
        {
            await host.DisposeAsync();
            throw new EdgeApiStartException($"The Edge API cannot start: the API server at {configuration.Host} said: {unreachable.Message}", unreachable);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>What a new device needs; the same until it grows old.</summary>
    public Task<BootstrapMaterial> BootstrapAsync(CancellationToken cancellationToken) => authority.BootstrapAsync(cancellationToken);

    /// <summary>Serves on for as long as <see cref="EdgeApiOptions.Drain"/> says, but is not ready any more.</summary>
    public async Task DrainAsync()
    {
        Volatile.Write(ref draining, true);
        if (drain > TimeSpan.Zero)
            await Task.Delay(drain, time);
    }

    public async ValueTask DisposeAsync()
    {
        // Held requests end first, then the listener, then what it still had to write.
        await stop.CancelAsync();
        if (server != null)
        {
            await server.StopAsync(CancellationToken.None);
            await server.DisposeAsync();
        }

        await loops;
        await stopWriting.CancelAsync();
        await writing;
        await fleet.StopAsync();
        writer.Dispose();
        handshakes.Dispose();
        remote?.Dispose();
        api.Dispose();
        stop.Dispose();
        stopWriting.Dispose();
    }

    private async Task StartAsync(EdgeApiOptions options, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        await authority.StartAsync(cancellationToken);
        if (remote != null)
        {
            server = await EdgeListener.StartAsync(options, authority, handshakes, new RemoteRequests(remote, authority, options, loggers, time).AnswerAsync, loggers, cancellationToken);
            loops = authority.RunAsync(stop.Token);
            Address = AddressOf(server, options);
            return;
        }

        writing = writer.RunAsync(stopWriting.Token);
        loops = watch.RunAsync(stop.Token);
        await fleet.StartAsync(cancellationToken);
        liveness.Resume();
        server = await EdgeListener.StartAsync(options, authority, handshakes, requests.AnswerAsync, loggers, cancellationToken);
        Address = AddressOf(server, options);
        loops = Task.WhenAll(loops, liveness.RunAsync(stop.Token), authority.RunAsync(stop.Token), lease.RunAsync(stop.Token), info.RunAsync(Address.Port, stop.Token));
    }

    private Dictionary<string, string> AddressForNeighbours(EdgeApiOptions options)
    {
        var anywhere = options.Listen.Equals(IPAddress.Any) || options.Listen.Equals(IPAddress.IPv6Any);
        return (options.PodAddress ?? (anywhere ? null : options.Listen)) is { } reached
            ? new(StringComparer.Ordinal) { [Names.Annotations.Address] = new UriBuilder("https", reached.ToString(), Address.Port).Uri.GetLeftPart(UriPartial.Authority) }
            : [];
    }

    private static Uri AddressOf(WebApplication server, EdgeApiOptions options)
    {
        var bound = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var port = new Uri(bound.Replace("[::]", "localhost", StringComparison.Ordinal).Replace("0.0.0.0", "localhost", StringComparison.Ordinal)).Port;
        var anywhere = options.Listen.Equals(IPAddress.Any) || options.Listen.Equals(IPAddress.IPv6Any);
        return new UriBuilder("https", anywhere ? "127.0.0.1" : options.Listen.ToString(), port).Uri;
    }
}
