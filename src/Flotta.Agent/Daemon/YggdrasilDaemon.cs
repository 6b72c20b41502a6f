using Flotta.Agent.CommandLine;
using Flotta.Agent.Files;
using Flotta.Agent.Identities;
using Flotta.Yggdrasil.Contract;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Dispatch;
using Flotta.Yggdrasil.Facts;
using Flotta.Yggdrasil.Grpc;
using Flotta.Yggdrasil.Settings;
using Flotta.Yggdrasil.Transport;
using Flotta.Yggdrasil.Workers;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Daemon;

/// <summary><c>flotta-agent yggdrasil</c>: carries messages between the server and workers, and knows nothing of what they mean.</summary>
internal sealed partial class YggdrasilDaemon : IDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);
    private readonly AgentOptions _options;
    private readonly DataDirectory _folder;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly PollOptions _polls;
    private readonly HttpsTransport _transport;
    private readonly Registry _registry = new();
    private readonly FileWatch _files;
    private readonly string _clientId;
    private readonly TaskCompletionSource _identified = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <exception cref="AgentStartException">With a sentence for a person.</exception>
    public YggdrasilDaemon(AgentOptions options, ILoggerFactory loggers, TimeProvider time, PollOptions? polls = null)
    {
        (_options, _loggers, _time, _polls) = (options, loggers, time, polls ?? new PollOptions());
        _logger = loggers.CreateLogger<YggdrasilDaemon>();
        Address = options.SocketAddress is null
            ? SocketAddress.Random("@yggd-dispatcher-")
            : SocketAddress.Parse(options.SocketAddress) ?? throw new AgentStartException($"The socket address \"{options.SocketAddress}\" is neither @name nor a path.");
        _folder = DataDirectory.Open(options.DataDirectory);
        try
        {
            _files = new FileWatch([options.CertFile ?? "", options.KeyFile ?? "", .. options.CaRoot]);
            _ = _files.HasChanged();
            var roots = Roots.FromFiles(options.CaRoot);
            Identity? identity = null;
            CredentialException? mismatch = null;
            try
            {
                identity = ReadIdentity();
            }
            catch (CredentialException exception) when (exception.IsMismatch)
            {
                // Power was lost between the two files: the worker that writes them has both, and only we start it.
                mismatch = exception;
                LogNotReloaded(_logger, exception.Message);
            }

            _clientId = ClientId.Resolve(options.ClientId, _folder, () => identity ?? throw mismatch!);
            _transport = new HttpsTransport(
                new TransportOptions
                {
                    Address = new ServerAddress(options.Server, options.PathPrefix, _clientId),
                    Roots = roots,
                    UserAgent = DeviceAgent.UserAgent,
                    KeepHeaders = true,
                    DataHost = options.DataHost,
                },
                loggers.CreateLogger<HttpsTransport>(),
                time);
            if (identity is not null)
                Use(identity);
        }
        catch (CredentialException exception)
        {
            _folder.Dispose();
            throw new AgentStartException(exception.Message, exception);
        }
        catch
        {
            _folder.Dispose();
            throw;
        }
    }

    public SocketAddress Address { get; }

    public Registry Registry => _registry;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var config = new DaemonConfig
        {
            LogLevel = Word(_options.LogLevel),
            ClientId = _clientId,
            SocketAddress = Address.Text,
            Server = _options.Server,
            CertFile = Path.GetFullPath(_options.CertFile!),
            KeyFile = Path.GetFullPath(_options.KeyFile!),
            CaRoot = [.. _options.CaRoot.Select(Path.GetFullPath)],
        };
        var dispatcher = new Dispatcher(_transport, _registry, Address, config, _loggers.CreateLogger<Dispatcher>(), _time);
        await using var listener = await StartAsync(dispatcher, cancellationToken);
        LogServing(_logger, _clientId, _options.Server, Address.WithScheme);
        var workers = new WorkerFolder(
            Path.Combine(_options.ConfigFolder, "workers"),
            _folder["workers"],
            _options.ExcludedWorkers.ToHashSet(StringComparer.Ordinal),
            file => WorkerEnvironment.Of(file, Address, _options.ConfigFolder, config.LogLevel, _clientId, Environment.GetEnvironmentVariable),
            _loggers.CreateLogger<WorkerFolder>(),
            _time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] all = [workers.RunAsync(stop.Token), WatchAsync(stop.Token), ConnectAsync(dispatcher, stop.Token)];
        // None ends by itself.
        var first = await Task.WhenAny(all);
        await stop.CancelAsync();
        await Task.WhenAll(all).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await first;
    }

    public void Dispose()
    {
        _transport.Dispose();
        _folder.Dispose();
    }

    private async Task<GrpcListener> StartAsync(Dispatcher dispatcher, CancellationToken cancellationToken)
    {
        try
        {
            return await GrpcListener.StartAsync(Address, dispatcher.Calls, _loggers.CreateLogger<GrpcListener>(), cancellationToken);
        }
        catch (IOException exception)
        {
            throw new AgentStartException(exception.Message, exception);
        }
    }

    private async Task ConnectAsync(Dispatcher dispatcher, CancellationToken cancellationToken)
    {
        await _identified.Task.WaitAsync(cancellationToken);
        // As the original's enum has it, and the original never sends.
        _transport.ReachabilityChanged += reached => _ = dispatcher.NotifyAsync(reached ? WorkerEvent.ConnectionRestored : WorkerEvent.UnexpectedDisconnect, cancellationToken);
        var pause = new RestartPause();
        while (true)
        {
            var began = _time.GetTimestamp();
            var end = await TalkAsync(dispatcher, cancellationToken);
            if (end.IsDisconnect)
            {
                LogDisconnected(_logger);
                await dispatcher.KeepTellingAsync(WorkerEvent.ReceivedDisconnect, cancellationToken);
            }

            await Task.Delay(pause.After(_time.GetElapsedTime(began), end.ReconnectAfter!.Value), _time, cancellationToken);
            _transport.Renew();
        }
    }

    private async Task<ControlEnd> TalkAsync(Dispatcher dispatcher, CancellationToken cancellationToken)
    {
        var data = new DataLoop(_transport, dispatcher, _polls, _loggers.CreateLogger<DataLoop>(), _time);
        var status = new StatusSource(new Tags(_options.TagsFile), _transport.Identity!.CommonName, _loggers.CreateLogger<StatusSource>(), _registry);
        using var control = new ControlLoop(_transport, status, () => data.IsHeld, _polls, _loggers.CreateLogger<ControlLoop>(), _time);
        void Welcome()
        {
            dispatcher.Forget();
            data.AskNow();
            control.AskNow();
        }

        data.Missing += control.AskNow;
        control.Cancelled += dispatcher.Cancel;
        _registry.Changed += Welcome;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var polling = data.RunAsync(stop.Token);
        try
        {
            return await control.RunAsync(stop.Token);
        }
        finally
        {
            _registry.Changed -= Welcome;
            await stop.CancelAsync();
            await polling.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Certificates that a worker or a person replaces are used from the next request on; a pair that does not match (yet) changes nothing.</summary>
    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(BetweenLooks, _time, cancellationToken);
            _registry.Sweep();
            if (!_files.HasChanged())
                continue;
            try
            {
                var (identity, roots) = (ReadIdentity(), Roots.FromFiles(_options.CaRoot));
                _transport.Use(_transport.Endpoint with { Roots = roots });
                Use(identity);
                LogReloaded(_logger, identity.CommonName, identity.NotAfter);
            }
            catch (CredentialException exception)
            {
                LogNotReloaded(_logger, exception.Message);
            }
        }
    }

    private void Use(Identity identity)
    {
        _transport.Use(identity);
        _identified.TrySetResult();
    }

    private Identity ReadIdentity() =>
        _options.CertFile is null
            ? throw new CredentialException("The daemon needs a certificate: use --cert-file and --key-file.")
            : Identity.FromFiles(_options.CertFile, _options.KeyFile!);

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Warning => "warn",
        LogLevel.Information => "info",
        var other => other.ToString().ToLowerInvariant(),
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "device {ClientId}, server {Server}, workers attach at {Address}")]
    private static partial void LogServing(ILogger logger, string clientId, string server, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the server disconnects this device; nothing more is asked until the daemon is started again")]
    private static partial void LogDisconnected(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "certificate of {Name} reloaded, valid until {NotAfter:u}")]
    private static partial void LogReloaded(ILogger logger, string name, DateTimeOffset notAfter);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the certificate files cannot be used (yet): {Problem}")]
    private static partial void LogNotReloaded(ILogger logger, string problem);
}
