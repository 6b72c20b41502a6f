using Flotta.Agent.CommandLine;
using Flotta.Agent.Desired;
using Flotta.Agent.Enrolment;
using Flotta.Agent.Files;
using Flotta.Agent.Hardware;
using Flotta.Agent.Heartbeats;
using Flotta.Agent.Identities;
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
    private readonly HttpsTransport _transport;
    private readonly EnrolmentLoop _enrolment;
    private readonly Session _session;
    private readonly BackOff _faults = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));

    /// <exception cref="AgentStartException">With a sentence for a person.</exception>
    public DeviceAgent(AgentOptions options, Func<string, DataDirectory, IWorkloads> workloads, ILoggerFactory loggers, TimeProvider time, PollOptions? polls = null)
    {
        _logger = loggers.CreateLogger<DeviceAgent>();
        _time = time;
        _folder = DataDirectory.Open(options.DataDirectory);
        try
        {
            var roots = Starting(() => Roots.FromFiles(options.CaRoot));
            Identity Bootstrap() => options.CertFile is null
                ? throw new CredentialException("No bootstrap certificate is given: use --cert-file and --key-file.")
                : Identity.FromFiles(options.CertFile, options.KeyFile!);
            DeviceId = ClientId.Resolve(options.ClientId, _folder, () => options.CertFile is null ? null : Starting(Bootstrap));
            _identities = new IdentityStore(_folder, DeviceId, loggers.CreateLogger<IdentityStore>());
            if (_identities.Load() is null)
                _ = Starting(Bootstrap);
            var address = new ServerAddress(options.Server, options.PathPrefix, DeviceId);
            var tags = new Tags(options.TagsFile);
            static HardwareInfo Hardware() => HardwareFacts.Read();
            _transport = new HttpsTransport(
                new TransportOptions { Address = address, Roots = roots, UserAgent = $"flotta-agent/{typeof(DeviceAgent).Assembly.GetName().Version?.ToString(3)}" },
                loggers.CreateLogger<HttpsTransport>(),
                time);
            var registration = new Registration(_transport, _identities, roots, DeviceId, Hardware, loggers.CreateLogger<Registration>(), time);
            _enrolment = new EnrolmentLoop(_transport, _identities, registration, Bootstrap, tags, DeviceId, Hardware, loggers.CreateLogger<EnrolmentLoop>(), time);
            _desired = new DesiredState(new DesiredStore(_folder, loggers.CreateLogger<DesiredStore>()), DeviceId, loggers.CreateLogger<DesiredState>());
            _workloads = workloads(DeviceId, _folder);
            _session = new Session(
                _transport, _identities, registration, _desired, _workloads, new EventQueue(), tags, Hardware, polls ?? new PollOptions(), loggers, time);
            foreach (var key in options.UnknownKeys)
                LogUnknownKey(_logger, key);
            LogStarting(_logger, DeviceId, address.Server);
        }
        catch
        {
            _transport?.Dispose();
            _folder.Dispose();
            throw;
        }
    }

    public string DeviceId { get; }

    public EnrolmentState State => _enrolment.State;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _desired.Changed += ApplyWorkloads;
        _desired.Load();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var workloads = _workloads.RunAsync(stop.Token);
        var connection = ConnectAsync(stop.Token);
        // Neither ends by itself; should one fail in a way that nobody thought of, the process says so and is started again.
        var first = await Task.WhenAny(workloads, connection);
        await stop.CancelAsync();
        await Task.WhenAll(workloads, connection).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _desired.Changed -= ApplyWorkloads;
        await first;
    }

    public void Dispose()
    {
        _transport.Dispose();
        _folder.Dispose();
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        var identity = _identities.Load();
        if (identity is not null)
            _enrolment.Resume();
        while (true)
        {
            try
            {
                identity ??= await _enrolment.RunAsync(cancellationToken);
                _transport.Use(identity);
                var end = await _session.RunAsync(cancellationToken);
                _faults.Reset();
                if (end == SessionEnd.Disconnected)
                {
                    await DeregisterAsync(cancellationToken);
                    await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellationToken);
                }

                if (end == SessionEnd.Reconnect)
                    await Task.Delay(_session.ReconnectAfter, _time, cancellationToken);
                identity = end == SessionEnd.Reconnect ? _transport.Identity : null;
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // What nobody thought of must not end the device's only way to be mended from afar.
                LogFault(_logger, exception);
                await Task.Delay(_faults.Next(), _time, cancellationToken);
                identity = _identities.Load();
                if (identity is not null)
                    _enrolment.Resume();
            }
        }
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
                _identities.Remove();
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

    private void ApplyWorkloads()
    {
        if (_desired.Workloads is { } workloads)
            _workloads.Apply(workloads);
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "the server disconnects this device: removing its workloads and its identity")]
    private static partial void LogDisconnected(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "this device is deregistered and does nothing more until it is started again")]
    private static partial void LogDeregistered(ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, Message = "something unforeseen went wrong, trying again")]
    private static partial void LogFault(ILogger logger, Exception exception);
}
