using Flotta.Agent.Heartbeats;
using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Connections;

/// <summary>
/// A change of server, path or authorities counts only once a heartbeat was taken over it. Until then the last connection that worked is kept on
/// disk, and after a while the device goes back to it, says so, and looks at the new one now and then. Authorities are read anew when their files change.
/// </summary>
internal sealed partial class ConnectionKeeper
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CalmLook = TimeSpan.FromSeconds(30);
    private readonly HttpsTransport _transport;
    private readonly ProvenStore _store;
    private readonly EventQueue _events;
    private readonly IReadOnlyList<string> _files;
    private readonly FileWatch _watch;
    private readonly string _deviceId;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Lock _lock = new();
    private ProvenConnection _configured;
    private ProvenConnection? _proven;
    private ConnectionTurn _turn;
    private bool _told;

    public ConnectionKeeper(
        HttpsTransport transport,
        ProvenStore store,
        EventQueue events,
        ProvenConnection configured,
        IReadOnlyList<string> files,
        string deviceId,
        ILogger<ConnectionKeeper> logger,
        TimeProvider time)
    {
        (_transport, _store, _events, _configured, _files, _deviceId, _logger, _time) = (transport, store, events, configured, files, deviceId, logger, time);
        _watch = new FileWatch(files);
        _ = _watch.HasChanged();
        _start = time.GetTimestamp();
        _proven = store.Load();
        _turn = ConnectionTurn.Begin(TimeSpan.Zero);
    }

    /// <summary>Another connection has its turn: what is under way on the one before is over.</summary>
    public event Action? Switched;

    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>The server has taken a heartbeat over the present connection.</summary>
    public void Prove()
    {
        lock (_lock)
        {
            if (_turn.Proved)
                return;
            _turn = _turn with { Proved = true };
            if (!_turn.Configured)
                return;
            if (_told)
            {
                _events.Add("ConnectionRestored", $"The configured server {_configured.Server} works again", EventTypes.Info);
                _told = false;
            }

            Keep();
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(_turn is { Proved: true, Configured: true } ? CalmLook : Look, _time, cancellationToken);
            Reload();
            Turn();
        }
    }

    private void Keep()
    {
        if (_proven == _configured)
            return;
        try
        {
            _store.Save(_configured);
            _proven = _configured;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogNotKept(_logger, exception.Message);
        }
    }

    private void Reload()
    {
        if (!_watch.HasChanged())
            return;
        try
        {
            var roots = Roots.FromFiles(_files).Pem;
            lock (_lock)
            {
                if (roots == _configured.Roots)
                    return;
                _configured = _configured with { Roots = roots };
                _turn = ConnectionTurn.Begin(Now);
            }

            LogReloaded(_logger);
            Apply(_configured);
        }
        catch (CredentialException exception)
        {
            LogNotReloaded(_logger, exception.Message);
        }
    }

    private void Turn()
    {
        ProvenConnection use;
        lock (_lock)
        {
            var next = _turn.Next(_proven is not null && _proven != _configured, Now);
            if (next.Configured == _turn.Configured)
                return;
            _turn = next;
            use = next.Configured ? _configured : _proven!;
            if (!next.Configured && !_told)
            {
                _told = true;
                LogRolledBack(_logger, _configured.Server, use.Server);
                _events.Add("ConnectionRolledBack", $"The configured connection to {_configured.Server} did not work for {ConnectionTurn.Trial.TotalMinutes:0} minutes; this device goes on with the last that did ({use.Server})", EventTypes.Warn);
            }
        }

        Apply(use);
    }

    private void Apply(ProvenConnection connection)
    {
        _transport.Use(EndpointOf(connection, _deviceId));
        Switched?.Invoke();
    }

    public static Endpoint EndpointOf(ProvenConnection connection, string deviceId) =>
        new(new ServerAddress(connection.Server, connection.PathPrefix, deviceId), connection.Roots.Length == 0 ? Roots.System : Roots.FromPem(connection.Roots));

    [LoggerMessage(Level = LogLevel.Warning, Message = "the configured server {Server} did not work for ten minutes: going on with the last connection that did, {Proven}")]
    private static partial void LogRolledBack(ILogger logger, string server, string proven);

    [LoggerMessage(Level = LogLevel.Information, Message = "the files of ca-root have changed and are used from now on")]
    private static partial void LogReloaded(ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, Message = "the files of ca-root have changed and cannot be used, those of before stay: {Problem}")]
    private static partial void LogNotReloaded(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "the connection that works cannot be noted: {Problem}")]
    private static partial void LogNotKept(ILogger logger, string problem);
}
