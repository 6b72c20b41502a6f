using System.Globalization;
using Flotta.Agent.CommandLine;
using Flotta.Agent.Duties;
using Flotta.Agent.Files;
using Flotta.Wire;
using Flotta.Yggdrasil.Contract;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Grpc;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Attached;

/// <summary><c>flotta-agent worker</c>: registers with the daemon that its environment names, then is the same agent as ever.</summary>
internal sealed class AttachedAgent : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // A daemon that has gone starts workers of its own when it is back.
    private static readonly TimeSpan Forlorn = TimeSpan.FromMinutes(2);
    private readonly SocketAddress _dispatcher;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private DeviceAgent? _agent;
    private DaemonUplink? _uplink;
    private GrpcListener? _listener;

    /// <exception cref="AgentStartException">With a sentence for a person.</exception>
    public AttachedAgent(Func<string, string?> environment, ILoggerFactory loggers, TimeProvider time)
    {
        (_loggers, _time) = (loggers, time);
        _dispatcher = SocketAddress.Parse(environment("YGG_SOCKET_ADDR"))
            ?? throw new AgentStartException("YGG_SOCKET_ADDR does not say where the yggdrasil daemon listens: 'flotta-agent worker' is for the daemon to start.");
        DeviceId = environment("YGG_CLIENT_ID") is { Length: > 0 } id ? id : throw new AgentStartException("YGG_CLIENT_ID does not say which device this is.");
    }

    public string DeviceId { get; }

    public Func<DutySite, DeviceDuties>? Duties { get; init; }

    public async Task RunAsync(AgentOptions options, Func<string, DataDirectory, IWorkloads> workloads, CancellationToken cancellationToken)
    {
        var channel = new GrpcChannel(_dispatcher, _time);
        var config = await AskAsync(channel, cancellationToken);
        var roots = Roots.FromFiles([.. config.CaRoot]);
        _agent = new DeviceAgent(
            options with { ClientId = DeviceId, CertFile = config.CertFile, KeyFile = config.KeyFile },
            workloads,
            _loggers,
            _time,
            uplink: folder =>
            {
                var uplink = _uplink = new DaemonUplink(channel, config, folder, _loggers.CreateLogger<DaemonUplink>(), _time);
                return new Uplink { Outbound = uplink, Link = uplink, Bootstrap = uplink.Bootstrap, Roots = () => roots, Name = "behind the daemon at " + _dispatcher, Left = uplink.Restore };
            },
            duties: Duties);
        await RegisterAsync(channel, cancellationToken);
        var watching = WatchAsync(channel, cancellationToken);
        var running = _agent.RunAsync(cancellationToken);
        await await Task.WhenAny(running, watching);
    }

    public async ValueTask DisposeAsync()
    {
        if (_listener is not null)
            await _listener.DisposeAsync();
        _agent?.Dispose();
        _uplink?.Dispose();
    }

    private async Task<DaemonConfig> AskAsync(GrpcChannel channel, CancellationToken cancellationToken)
    {
        var backOff = new BackOff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));
        var since = _time.GetTimestamp();
        while (true)
        {
            try
            {
                return DaemonConfig.Read(await channel.CallAsync(Calls.GetConfig, [], Patience, cancellationToken));
            }
            catch (GrpcException exception)
            {
                if (_time.GetElapsedTime(since) > Forlorn)
                    throw new AgentStartException($"The yggdrasil daemon does not answer: {exception.Message}", exception);
            }

            await Task.Delay(backOff.Next(), _time, cancellationToken);
        }
    }

    /// <summary>The place may still be that of a worker that has just been killed.</summary>
    private async Task RegisterAsync(GrpcChannel channel, CancellationToken cancellationToken)
    {
        var features = new Dictionary<string, string>(StringComparer.Ordinal) { ["version"] = DeviceAgent.UserAgent };
        var request = new WorkerRegistration(Directives.Device, Environment.ProcessId, DetachedContent: false, features).Write();
        for (var tries = 0; ; tries++)
        {
            var answer = WorkerRegistered.Read(await channel.CallAsync(Calls.Register, request, Patience, cancellationToken));
            if (answer.Registered && SocketAddress.Parse(answer.Address) is { } address)
            {
                _listener = await GrpcListener.StartAsync(address, _uplink!.Calls, _loggers.CreateLogger<GrpcListener>(), cancellationToken);
                return;
            }

            if (tries >= 10)
                throw new AgentStartException(string.Create(CultureInfo.InvariantCulture, $"The yggdrasil daemon has another worker for \"{Directives.Device}\"."));
            await Task.Delay(TimeSpan.FromSeconds(1), _time, cancellationToken);
        }
    }

    private async Task WatchAsync(GrpcChannel channel, CancellationToken cancellationToken)
    {
        var heard = _time.GetTimestamp();
        while (true)
        {
            await Task.Delay(TimeSpan.FromSeconds(30), _time, cancellationToken);
            try
            {
                await channel.CallAsync(Calls.GetConfig, [], Patience, cancellationToken);
                heard = _time.GetTimestamp();
            }
            catch (GrpcException exception)
            {
                if (_time.GetElapsedTime(heard) > Forlorn)
                    throw new AgentStartException($"The yggdrasil daemon has gone: {exception.Message}", exception);
            }
        }
    }
}
