using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Flotta.Yggdrasil.Grpc;

/// <summary>Answers one call; throws <see cref="GrpcException"/> to refuse.</summary>
public delegate Task<byte[]> GrpcHandler(ReadOnlyMemory<byte> message, PeerCredentials peer, CancellationToken cancellationToken);

/// <summary>
/// Serves unary calls on one unix socket: Kestrel's HTTP/2 and nothing else of ASP.NET (no host, no routing, no gRPC library: see the decision page),
/// so that a device which runs everything in one process pays two megabytes of disk for it and nearly no memory. Peers that are neither root nor ourselves are refused.
/// </summary>
public sealed partial class GrpcListener : IAsyncDisposable, IHttpApplication<IFeatureCollection>
{
    private readonly IReadOnlyDictionary<string, GrpcHandler> _calls;
    private readonly ILogger _logger;
    private readonly KestrelServer _server;

    private GrpcListener(SocketAddress address, IReadOnlyDictionary<string, GrpcHandler> calls, ILogger logger)
    {
        (Address, _calls, _logger) = (address, calls, logger);
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestBodySize = GrpcFrame.LargestMessage + 64;
        options.Limits.MinRequestBodyDataRate = null;
        options.Listen(address.EndPoint(), listen => listen.Protocols = HttpProtocols.Http2);
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        _server = new KestrelServer(Options.Create(options), transport, NullLoggerFactory.Instance);
    }

    public SocketAddress Address { get; }

    /// <exception cref="IOException">The address is taken, or its folder is not there.</exception>
    public static async Task<GrpcListener> StartAsync(SocketAddress address, IReadOnlyDictionary<string, GrpcHandler> calls, ILogger logger, CancellationToken cancellationToken)
    {
        // One left by a crash; whoever still listens on it is not asked for here, but by the lock on the data folder.
        if (!address.IsAbstract)
            File.Delete(address.Text);
        var listener = new GrpcListener(address, calls, logger);
        try
        {
            await listener._server.StartAsync(listener, cancellationToken);
            if (!address.IsAbstract)
                File.SetUnixFileMode(address.Text, UnixFileMode.UserRead | UnixFileMode.UserWrite);
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

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        try
        {
            await _server.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // Calls under way are not waited for.
        }

        _server.Dispose();
        if (!Address.IsAbstract)
            File.Delete(Address.Text);
    }

    IFeatureCollection IHttpApplication<IFeatureCollection>.CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    void IHttpApplication<IFeatureCollection>.DisposeContext(IFeatureCollection context, Exception? exception)
    {
        // Nothing is kept for a call.
    }

    async Task IHttpApplication<IFeatureCollection>.ProcessRequestAsync(IFeatureCollection context)
    {
        var request = context.Get<IHttpRequestFeature>()!;
        var aborted = context.Get<IHttpRequestLifetimeFeature>()?.RequestAborted ?? CancellationToken.None;
        try
        {
            var peer = context.Get<IConnectionSocketFeature>()?.Socket is { } socket ? PeerCredentials.Of(socket) : default;
            if (!peer.IsTrusted || peer.Pid == 0)
                throw new GrpcException(GrpcStatus.PermissionDenied, "only root and this daemon's own user may call");
            if (!_calls.TryGetValue(request.Path, out var call))
                throw new GrpcException(GrpcStatus.Unimplemented, "there is no such call");
            var message = await GrpcFrame.ReadAsync(request.Body, aborted) ?? throw new GrpcException(GrpcStatus.InvalidArgument, "a call has no message");
            var answer = await call(message, peer, aborted);
            await AnswerAsync(context, answer, GrpcStatus.Ok, null, aborted);
        }
        catch (GrpcException exception)
        {
            await AnswerAsync(context, null, exception.Status, exception.Message, aborted);
        }
        catch (Contract.ContractException exception)
        {
            await AnswerAsync(context, null, GrpcStatus.InvalidArgument, exception.Message, aborted);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogFault(_logger, request.Path, exception);
            await AnswerAsync(context, null, GrpcStatus.Internal, "the call failed", aborted);
        }
    }

    private static async Task AnswerAsync(IFeatureCollection context, byte[]? message, GrpcStatus status, string? problem, CancellationToken cancellationToken)
    {
        var response = context.Get<IHttpResponseFeature>()!;
        var body = context.Get<IHttpResponseBodyFeature>()!;
        response.StatusCode = 200;
        response.Headers.ContentType = "application/grpc";
        if (message is not null)
            await body.Stream.WriteAsync(GrpcFrame.Write(message), cancellationToken);
        var trailers = context.Get<IHttpResponseTrailersFeature>()!.Trailers;
        trailers["grpc-status"] = ((int)status).ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (problem is not null)
            trailers["grpc-message"] = Uri.EscapeDataString(problem);
        await body.CompleteAsync();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the call {Call} failed")]
    private static partial void LogFault(ILogger logger, string call, Exception exception);
}
