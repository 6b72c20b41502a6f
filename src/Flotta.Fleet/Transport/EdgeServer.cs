using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Flotta.Fleet.Reports;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Fleet.Transport;

/// <summary>The server that the fleet talks to, and what all its connections have in common.</summary>
internal sealed class EdgeServer(string address, string pathPrefix, Roots roots, Version http, TimeSpan patience, Statistics statistics, TimeProvider time)
{
    public string Address => address;

    public string PathPrefix => pathPrefix;

    public Version Http => http;

    /// <summary>How long one request may take, on top of what a held one is asked to wait.</summary>
    public TimeSpan Patience => patience;

    public Statistics Statistics => statistics;

    public TimeProvider Time => time;

    public Traffic Traffic { get; } = new();

    /// <summary>A link of one device's own: nothing is shared with other devices, not even a connection pool.</summary>
    public SocketsHttpHandler Connect(Identity identity) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = patience,
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(10),
        MaxResponseHeadersLength = 16,
        // Pings would be one timer per device, and a held request that nobody answers ends by our own clock.
        KeepAlivePingDelay = Timeout.InfiniteTimeSpan,
        InitialHttp2StreamWindowSize = 65_535,
        ConnectCallback = ConnectAsync,
        SslOptions = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificateContext = identity.Context,
            CertificateChainPolicy = roots.ForServers(),
        },
    };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            Traffic.Connected();
            return new CountedStream(socket, Traffic);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
