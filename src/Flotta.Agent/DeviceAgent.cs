using Flotta.Agent.CommandLine;
using Flotta.Agent.Connections;
using Flotta.Agent.Desired;
using Flotta.Agent.Duties;
using Flotta.Agent.Enrolment;
using Flotta.Agent.Files;
using Flotta.Agent.Firewall;
using Flotta.Agent.Hardware;
using Flotta.Agent.Heartbeats;
using Flotta.Agent.Identities;
using Flotta.Agent.LogStreams;
using Flotta.Agent.Mounts;
using Flotta.Agent.Workloads;
using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Settings;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent;

/// <summary>
/// The whole agent. Workloads run from what is on disk before, and whether or not, any server answers;
/// beside them the device enrols, then keeps a session, over and over.
/// </summary>
internal sealed partial class DeviceAgent : IDisposable
{
    private readonly DataDirectory _folder;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly IWorkloads _workloads;
    private readonly IdentityStore _identities;
    private readonly DesiredState _desired;
    private readonly HttpsTransport? _transport;
    private readonly Uplink _uplink;
    private readonly EnrolmentLoop _enrolment;
    private readonly Session _session;
    private readonly EventQueue _events;
    private readonly DataStates _data = new();
    private readonly PlaybookReports _playbooks = new();
    private readonly DeviceDuties? _duties;
    private readonly ConnectionKeeper? _keeper;
    private readonly ProvenStore _connections;
    private readonly MountLoop _mounts;
    private readonly FirewallLoop _firewall;
    private readonly LogStreamer? _logs;
    private readonly RestartPause _restarts = new();
    private readonly BackOff _faults = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));

    /// <exception cref="AgentStartException">With a sentence for a person.</exception>
    public DeviceAgent(AgentOptions options, Func<string, DataDirectory, IWorkloads> workloads, ILoggerFactory loggers, TimeProvider time, PollOptions? polls = null, Func<DataDirectory, Uplink>? uplink = null, Func<DutySite, DeviceDuties>? duties = null, Func<string, HttpsTransport, LogStreamer>? logs = null)
    {
        _logger = loggers.CreateLogger<DeviceAgent>();
        _time = time;
        _folder = DataDirectory.Open(options.DataDirectory);
        try
        {
            Identity Bootstrap() => options.CertFile is null
                ? throw new CredentialException("No bootstrap certificate is given: use --cert-file and --key-file.")
                : Identity.FromFiles(options.CertFile, options.KeyFile!);
            DeviceId = ClientId.Resolve(options.ClientId, _folder, () => options.CertFile is null ? null : Starting(Bootstrap));
            var keys = options.Tpm is { } tpm ? new KeyLock(new Tpm(tpm), _folder, loggers.CreateLogger<KeyLock>()) : KeyLock.None;
            _identities = new IdentityStore(_folder, DeviceId, keys, loggers.CreateLogger<IdentityStore>());
            Check(Bootstrap, keys);
            var tags = new Tags(options.TagsFile);
            _events = new EventQueue(_folder["events.json"], loggers.CreateLogger<EventQueue>(), time);
            _connections = new ProvenStore(_folder);
            _mounts = new MountLoop(_folder, _events, MountFacts.OfThisMachine, loggers.CreateLogger<MountLoop>(), time);
            _firewall = new FirewallLoop(DeviceId, loggers.CreateLogger<FirewallLoop>(), time);
            static HardwareInfo Hardware() => HardwareFacts.Read();
            var pace = polls ?? (options.Thrifty ? PollOptions.Thrifty : new PollOptions());
            if (uplink is not null)
            {
                _uplink = uplink(_folder);
            }
            else
            {
                var configured = new ProvenConnection(options.Server, options.PathPrefix, RootsOf(options.CaRoot));
                var endpoint = ConnectionKeeper.EndpointOf(configured, DeviceId);
                _transport = new HttpsTransport(
                    new TransportOptions
                    {
                        Address = endpoint.Address,
                        Roots = endpoint.Roots,
                        UserAgent = UserAgent,
                        KeepAlive = !options.Thrifty,
                        Quiet = HeartbeatPace.QuietFor(options.Thrifty),
                        Packed = true,
                    },
                    loggers.CreateLogger<HttpsTransport>(),
                    time);
                _keeper = new ConnectionKeeper(_transport, _connections, _events, configured, options.CaRoot, DeviceId, loggers.CreateLogger<ConnectionKeeper>(), time);
                _logs = logs?.Invoke(DeviceId, _transport);
                _uplink = new Uplink
                {
                    Outbound = _transport,
                    Link = new HttpsLink(_transport, tags, pace, _logs is null ? null : _logs.Take, loggers, time),
                    Bootstrap = Bootstrap,
                    Roots = () => _transport.Endpoint.Roots,
                    Name = endpoint.Address.Server,
                    Proven = _keeper.Prove,
                    Left = _connections.Remove,
                };
            }

            var registration = new Registration(_uplink.Outbound, _identities, _uplink.Roots, DeviceId, Hardware, loggers.CreateLogger<Registration>(), time);
            _enrolment = new EnrolmentLoop(_uplink.Outbound, _identities, registration, _uplink.Bootstrap, tags, DeviceId, Hardware, pace.Hold, loggers.CreateLogger<EnrolmentLoop>(), time);
            _desired = new DesiredState(new DesiredStore(_folder, loggers.CreateLogger<DesiredStore>()), DeviceId, loggers.CreateLogger<DesiredState>());
            _workloads = workloads(DeviceId, _folder);
            var facts = new DutyFacts();
            _duties = duties?.Invoke(new DutySite(DeviceId, _folder, _events)
            {
                Facts = facts, Workloads = _workloads, Data = _data, Outbound = _uplink.Outbound, Playbooks = _playbooks, Pushes = () => _desired.Tag is not null,
            });
            _session = new Session(_uplink, _identities, registration, _desired, _workloads, _events, _data, _playbooks, Hardware, facts, new HeartbeatPace(options.Thrifty), loggers, time);
            foreach (var key in options.UnknownKeys)
                LogUnknownKey(_logger, key);
            LogStarting(_logger, DeviceId, _uplink.Name);
        }
        catch
        {
            _transport?.Dispose();
            _folder.Dispose();
            throw;
        }
    }

    private (IReadOnlyList<Mount> Mounts, bool WereOutdated)? _appliedMounts;

    public static string UserAgent { get; } = $"flotta-agent/{typeof(DeviceAgent).Assembly.GetName().Version?.ToString(3)}";

    public string DeviceId { get; }

    public EnrolmentState State => _enrolment.State;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _desired.Changed += ApplyWorkloads;
        _desired.Changed += ApplyDuties;
        _workloads.Changed += KeepEvents;
        _mounts.Changed += ApplyWorkloads;
        _desired.Load();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var workloads = _workloads.RunAsync(stop.Token);
        var connection = ConnectAsync(stop.Token);
        Task[] all = [workloads, connection, _keeper?.RunAsync(stop.Token) ?? Task.CompletedTask, _mounts.RunAsync(stop.Token), _firewall.RunAsync(stop.Token)];
        // Neither ends by itself; should one fail in a way that nobody thought of, the process says so and is started again.
        var first = await Task.WhenAny(all.Where(task => !task.IsCompletedSuccessfully));
        await stop.CancelAsync();
        await Task.WhenAll(all).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _desired.Changed -= ApplyWorkloads;
        _desired.Changed -= ApplyDuties;
        if (_duties is not null)
            await _duties.StopAsync();
        if (_logs is not null)
            await _logs.StopAsync();
        _workloads.Changed -= KeepEvents;
        _mounts.Changed -= ApplyWorkloads;
        await first;
    }

    public void Dispose()
    {
        _transport?.Dispose();
        _mounts.Dispose();
        _firewall.Dispose();
        _folder.Dispose();
    }

    /// <summary>What can only be mended by a person is said at the start. A TPM that does not answer now is not: workloads do not wait for it.</summary>
    private void Check(Func<Identity> bootstrap, KeyLock keys)
    {
        if (keys.IsOpen ? _identities.Load() is not null : _identities.IsThere)
            return;
        if (keys.IsOpen && _identities.IsLocked)
            throw new AgentStartException("The device's key is locked by a TPM: use --key-store tpm, or remove the identity with flotta-agent decommission --wipe.");
        _ = Starting(bootstrap);
        try
        {
            _identities.UnlockAsync(CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (TpmException exception)
        {
            throw new AgentStartException(exception.Message, exception);
        }
    }

    private async Task<Identity?> LoadAsync(CancellationToken cancellationToken)
    {
        await _identities.UnlockAsync(cancellationToken);
        var identity = _identities.Load();
        if (identity is not null)
            _enrolment.Resume();
        return identity;
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        Identity? identity = null;
        var isLoaded = false;
        while (true)
        {
            try
            {
                if (!isLoaded)
                    identity = await LoadAsync(cancellationToken);
                isLoaded = true;
                identity ??= await _enrolment.RunAsync(cancellationToken);
                _uplink.Outbound.Use(identity);
                var began = _time.GetTimestamp();
                if (await TalkAsync(cancellationToken) is not { } end)
                    continue;
                _faults.Reset();
                if (end == SessionEnd.Disconnected)
                {
                    await DeregisterAsync(cancellationToken);
                    await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellationToken);
                }

                // Nor does a server that takes none of the certificates it has just issued make a device ask for the next one without a pause.
                var asked = end == SessionEnd.Reconnect ? _session.ReconnectAfter : TimeSpan.Zero;
                await Task.Delay(_restarts.After(_time.GetElapsedTime(began), asked), _time, cancellationToken);
                identity = end == SessionEnd.Reconnect ? _uplink.Outbound.Identity : null;
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // What nobody thought of must not end the device's only way to be mended from afar.
                if (exception is IOException or UnauthorizedAccessException or TpmException)
                    LogTrouble(_logger, exception.Message);
                else
                    LogFault(_logger, exception);
                await Task.Delay(_faults.Next(), _time, cancellationToken);
                isLoaded = false;
            }
        }
    }

    /// <summary>Null when another connection has its turn: a session begins anew on it, so that what it proves is of that one.</summary>
    private async Task<SessionEnd?> TalkAsync(CancellationToken cancellationToken)
    {
        using var turn = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        void Switch() => turn.Cancel();
        if (_keeper is not null)
            _keeper.Switched += Switch;
        try
        {
            return await _session.RunAsync(turn.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            if (_keeper is not null)
                _keeper.Switched -= Switch;
        }
    }

    /// <summary>Without usable authorities the device could not even be told what is wrong: those that worked before will do.</summary>
    private string RootsOf(IReadOnlyList<string> files)
    {
        try
        {
            return Roots.FromFiles(files).Pem;
        }
        catch (CredentialException exception)
        {
            if (_connections.Load() is not { } proven)
                throw new AgentStartException(exception.Message, exception);
            LogRootsOfBefore(_logger, exception.Message);
            return proven.Roots;
        }
    }

    private void KeepEvents()
    {
        foreach (var one in _workloads.TakeEvents())
            _events.Add(one.Reason, one.Message, one.Type);
    }

    /// <summary>The identity goes last: killed before, the next start learns from control/in again that it has to go.</summary>
    private async Task DeregisterAsync(CancellationToken cancellationToken)
    {
        LogDisconnected(_logger);
        var backOff = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        while (true)
        {
            try
            {
                _workloads.Apply(DesiredWorkloads.None);
                _desired.Forget();
                await _workloads.RemoveAllAsync(cancellationToken);
                await _mounts.RemoveAllAsync(cancellationToken);
                await _firewall.RemoveAllAsync(cancellationToken);
                if (_duties is not null)
                    await _duties.RemoveAsync();
                _identities.Remove();
                _uplink.Left();
                break;
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                LogFault(_logger, exception);
                await Task.Delay(backOff.Next(), _time, cancellationToken);
            }
        }

        _enrolment.Disconnect();
        LogDeregistered(_logger);
    }

    private void ApplyDuties()
    {
        // What an older configuration asks for (another operating system, say) may have been taken back.
        if (_desired is { Current: { } configuration, IsOutdated: false })
            _duties?.Apply(configuration);
    }

    private void ApplyWorkloads()
    {
        if (_desired.Workloads is not { } workloads)
            return;
        var mounts = _desired.Current!.Configuration?.Mounts ?? [];
        // Mounts come before the workloads that want them.
        if (_appliedMounts is not var (before, wereOutdated) || wereOutdated != workloads.IsOutdated || !mounts.SequenceEqual(before))
        {
            _appliedMounts = (mounts, workloads.IsOutdated);
            _mounts.Apply(mounts, keepOthers: workloads.IsOutdated);
        }

        if (!workloads.IsOutdated)
            _firewall.Apply(PublishedPorts.Of(workloads, DeviceId, _folder.Path));
        _workloads.Apply(workloads with { MissingMounts = _mounts.Missing, Mounts = [.. mounts.Select(mount => mount.Directory).OfType<string>()] });
    }

    private static T Starting<T>(Func<T> step)
    {
        try
        {
            return step();
        }
        catch (CredentialException exception)
        {
            throw new AgentStartException(exception.Message, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "device {DeviceId}, server {Server}")]
    private static partial void LogStarting(ILogger logger, string deviceId, string server);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the configuration key {Key} means nothing to this agent")]
    private static partial void LogUnknownKey(ILogger logger, string key);

    [LoggerMessage(Level = LogLevel.Error, Message = "the authorities of before are used: {Problem}")]
    private static partial void LogRootsOfBefore(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the server disconnects this device: removing its workloads and its identity")]
    private static partial void LogDisconnected(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "this device is deregistered and does nothing more until it is started again")]
    private static partial void LogDeregistered(ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, Message = "trying again: {Problem}")]
    private static partial void LogTrouble(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "something unforeseen went wrong, trying again")]
    private static partial void LogFault(ILogger logger, Exception exception);
}
