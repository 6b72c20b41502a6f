using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Flotta.EdgeApi.Certificates;
using Flotta.EdgeApi.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.Requests;

/// <summary>
/// The listener: TLS 1.3 with a client certificate, which the handshake demands and the requests judge (an expired one may still register). Limits are generous for devices
/// and tight for everything that is none.
/// </summary>
internal static class EdgeListener
{
    private const int LargestBody = 1024 * 1024;

    public static async Task<WebApplication> StartAsync(
        EdgeApiOptions options, Authority authority, HandshakeLimit handshakes, RequestDelegate answer, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        _ = TlsThrift.Apply();
        var peers = new PeerConnection(options.MaxConnectionsPerDevice);
        // Empty: no environment variable and no appsettings.json has a say in what we listen on.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "flotta-edge-api" });
        builder.Services.AddSingleton<ILoggerFactory>(new QuietLoggers(loggers));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        // What is under way may wait for a slow API server; nothing else takes long.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(15));
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            Limit(kestrel.Limits, options);
            // Everywhere means IPv4 too, and only that where there is no IPv6.
            if (options.Listen.Equals(IPAddress.IPv6Any))
                kestrel.ListenAnyIP(options.Port, Endpoint);
            else
                kestrel.Listen(options.Listen, options.Port, Endpoint);
        });
        var server = builder.Build();
        server.Run(answer);
        try
        {
            await server.StartAsync(cancellationToken);
            return server;
        }
        catch (Exception failed) when (failed is IOException or SocketException)
        {
            await server.DisposeAsync();
            throw new EdgeApiStartException($"The Edge API cannot listen on {new IPEndPoint(options.Listen, options.Port)}: {(failed.InnerException ?? failed).Message}", failed);
        }

        void Endpoint(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.Use(Farewell.Say);
            listen.Use(handshakes.Begin);
            listen.UseHttps(Tls(authority));
            listen.Use(HandshakeLimit.End);
            listen.Use(Farewell.Listen);
            listen.Use(peers.Remember);
        }
    }

    private static TlsHandshakeCallbackOptions Tls(Authority authority) => new()
    {
        HandshakeTimeout = TimeSpan.FromSeconds(15),
        OnConnection = _ =>
        {
            // Asked for every connection: a renewed certificate is shown from the next one on.
            return ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = authority.State.ServerContext,
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificateRequired = true,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    RevocationMode = X509RevocationMode.NoCheck,
                    DisableCertificateDownloads = true,
                },
                RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate != null,
                ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                AllowRenegotiation = false,
            });
        },
    };

    private static void Limit(KestrelServerLimits limits, EdgeApiOptions options)
    {
        limits.MaxRequestBodySize = LargestBody;
        limits.MaxRequestHeaderCount = 50;
        limits.MaxRequestHeadersTotalSize = 16 * 1024;
        limits.MaxRequestLineSize = 2 * 1024;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        limits.KeepAliveTimeout = TimeSpan.FromMinutes(5);
        limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 200, gracePeriod: TimeSpan.FromSeconds(10));
        limits.MaxConcurrentConnections = options.MaxConnections;
        limits.Http2.MaxStreamsPerConnection = 20;
        // Finds the connections behind which nobody is left, also under the longest of held requests. Rarely: each device pays for it, and one that holds
        // a request asks again, or is taken for silent, when it has been answered.
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromMinutes(35);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
        // The table of headers that were seen before is memory for each connection, and an agent's client does not use it.
        limits.Http2.HeaderTableSize = 0;
        // A device needs no more, and a hundred thousand windows are memory.
        // Two streams whose readers stand still leave room for a heartbeat.
        limits.Http2.InitialConnectionWindowSize = 256 * 1024;
        limits.Http2.InitialStreamWindowSize = 96 * 1024;
    }

    /// <summary>Signals are for the program to handle, not for one of its parts.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
