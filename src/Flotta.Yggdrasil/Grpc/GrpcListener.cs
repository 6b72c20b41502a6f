using System.Collections.Concurrent;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Flotta.Yggdrasil.Grpc;

/// <summary>Answers one call; throws <see cref="GrpcException"/> to refuse.</summary>
public delegate Task<byte[]> GrpcHandler(ReadOnlyMemory<byte> message, PeerCredentials peer, CancellationToken cancellationToken);

/// <summary>
/// Serves unary calls on one unix socket, over HTTP/2 of our own (see the decision page). Peers that are neither root nor ourselves are not talked to.
/// </summary>
public sealed partial class GrpcListener : IAsyncDisposable
{
    /// <summary>Each worker needs one or two.</summary>
    private const int MostConnections = 256;

    private readonly IReadOnlyDictionary<string, GrpcHandler> _calls;
    private readonly ILogger _logger;
    private readonly Socket _socket;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private Task _accepting = Task.CompletedTask;

    private GrpcListener(SocketAddress address, IReadOnlyDictionary<string, GrpcHandler> calls, ILogger logger)
    {
        (Address, _calls, _logger) = (address, calls, logger);
        _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    }

    public SocketAddress Address { get; }

    /// <exception cref="IOException">The address is taken, or its folder is not there.</exception>
    public static async Task<GrpcListener> StartAsync(SocketAddress address, IReadOnlyDictionary<string, GrpcHandler> calls, ILogger logger, CancellationToken cancellationToken)
    {
        // One left by a crash; whoever still listens on it is not asked for here, but by the lock on the data folder.
        if (!address.IsAbstract)
            File.Delete(address.Text);
        cancellationToken.ThrowIfCancellationRequested();
        var listener = new GrpcListener(address, calls, logger);
        try
        {
            listener._socket.Bind(address.EndPoint());
            if (!address.IsAbstract)
                File.SetUnixFileMode(address.Text, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener._socket.Listen();
            listener._accepting = listener.AcceptAsync();
            return listener;
        }
        catch (Exception exception)
        {
            await listener.DisposeAsync();
            if (exception is SocketException)
                throw new IOException($"{address} cannot be listened on: {exception.Message}", exception);
            throw;
        }
    }

    /// <summary>Calls under way are not waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _socket.Dispose();
        await _accepting;
        await Task.WhenAll(_connections.Keys);
        _stop.Dispose();
        if (!Address.IsAbstract)
            File.Delete(Address.Text);
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Serve(await _socket.AcceptAsync(_stop.Token));
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException exception)
            {
                // Too many open files, say: it may get better.
                LogNotAccepted(_logger, exception.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Serve(Socket socket)
    {
        var peer = PeerCredentials.Of(socket);
        if (!peer.IsTrusted || peer.Pid == 0 || _connections.Count >= MostConnections)
        {
            LogRefused(_logger, Address, peer.Uid);
            socket.Dispose();
            return;
        }

        var serving = ServeAsync(socket, peer);
        _connections[serving] = default;
        _ = serving.ContinueWith(ended => _connections.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task ServeAsync(Socket socket, PeerCredentials peer)
    {
        await using var connection = new Http2Connection(new NetworkStream(socket, ownsSocket: true), (path, body, cancellationToken) => CallAsync(path, body, peer, cancellationToken));
        try
        {
            await connection.RunAsync(_stop.Token);
        }
        catch (Exception exception)
        {
            LogFault(_logger, "of HTTP/2", exception);
        }
    }

    private async Task<GrpcAnswer> CallAsync(string path, Stream body, PeerCredentials peer, CancellationToken cancellationToken)
    {
        try
        {
            if (!_calls.TryGetValue(path, out var call))
                return new GrpcAnswer(null, GrpcStatus.Unimplemented, "there is no such call");
            return await GrpcFrame.ReadAsync(body, cancellationToken) is { } message
                ? new GrpcAnswer(await call(message, peer, cancellationToken), GrpcStatus.Ok, null)
                : new GrpcAnswer(null, GrpcStatus.InvalidArgument, "a call has no message");
        }
        catch (GrpcException exception)
        {
            return new GrpcAnswer(null, exception.Status, exception.Message);
        }
        catch (Contract.ContractException exception)
        {
            return new GrpcAnswer(null, GrpcStatus.InvalidArgument, exception.Message);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogFault(_logger, path, exception);
            return new GrpcAnswer(null, GrpcStatus.Internal, "the call failed");
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "somebody (user {User}) who is neither root nor this daemon's own user, or one too many, was not let in at {Address}")]
    private static partial void LogRefused(ILogger logger, SocketAddress address, uint user);

    [LoggerMessage(Level = LogLevel.Warning, Message = "a connection could not be accepted: {Problem}")]
    private static partial void LogNotAccepted(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "the call {Call} failed")]
    private static partial void LogFault(ILogger logger, string call, Exception exception);
}
