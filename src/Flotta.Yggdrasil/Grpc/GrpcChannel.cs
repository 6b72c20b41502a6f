using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Flotta.Yggdrasil.Grpc;

/// <summary>Unary calls to one unix socket: HTTP/2 in clear, as every gRPC library speaks it there. Whoever listens has to be root or ourselves.</summary>
public sealed class GrpcChannel : IDisposable
{
    private readonly SocketAddress _address;
    private readonly HttpMessageInvoker _http;
    private readonly TimeProvider _time;

    public GrpcChannel(SocketAddress address, TimeProvider time)
    {
        (_address, _time) = (address, time);
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            UseProxy = false,
            AllowAutoRedirect = false,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        });
    }

    public void Dispose() => _http.Dispose();

    /// <exception cref="GrpcException">Also when nobody listens, or the deadline passed.</exception>
    public async Task<byte[]> CallAsync(string call, byte[] message, TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(deadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await ExchangeAsync(call, message, deadline, either.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new GrpcException(GrpcStatus.DeadlineExceeded, $"{_address} did not answer within {deadline.TotalSeconds:0} s", exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException)
        {
            throw new GrpcException(GrpcStatus.Unavailable, $"{_address} cannot be reached: {(exception.InnerException ?? exception).Message}", exception);
        }
    }

    private async Task<byte[]> ExchangeAsync(string call, byte[] message, TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost" + call)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(GrpcFrame.Write(message)),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TryAddWithoutValidation("te", "trailers");
        request.Headers.TryAddWithoutValidation("grpc-timeout", ((long)deadline.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) + "m");
        using var response = await _http.SendAsync(request, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
            throw new GrpcException(GrpcStatus.Unknown, $"{_address} answered {(int)response.StatusCode}");
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        // A call that failed at once has its status in the headers, and no message.
        Judge(response.Headers, required: false);
        return await ReadAsync(body, response, cancellationToken);
    }

    private static async Task<byte[]> ReadAsync(Stream body, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var answer = await GrpcFrame.ReadAsync(body, cancellationToken);
        while (await body.ReadAsync(new byte[64], cancellationToken) > 0)
        {
            // To the end, where the trailers are.
        }

        Judge(response.TrailingHeaders, required: true);
        return answer ?? throw new GrpcException(GrpcStatus.Internal, "an answer has no message");
    }

    private static void Judge(HttpResponseHeaders headers, bool required)
    {
        if (!headers.TryGetValues("grpc-status", out var values))
        {
            if (required)
                throw new GrpcException(GrpcStatus.Unknown, "an answer has no status");
            return;
        }

        var status = int.TryParse(values.First(), CultureInfo.InvariantCulture, out var code) ? (GrpcStatus)code : GrpcStatus.Unknown;
        if (status == GrpcStatus.Ok)
            return;
        var message = headers.TryGetValues("grpc-message", out var said) ? Uri.UnescapeDataString(said.First()) : status.ToString();
        throw new GrpcException(status, message);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(_address.EndPoint(), cancellationToken);
            if (!PeerCredentials.Of(socket).IsTrusted)
                throw new IOException("another user listens there");
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
