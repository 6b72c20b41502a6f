using System.Net.Security;
using System.Security.Authentication;
using Flotta.ApiServer.Access;
using Flotta.ApiServer.Verbs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Flotta.ApiServer;

/// <summary>How Kestrel listens: TLS with optional client certificates (who shows none is told 401), limits, both HTTP versions.</summary>
internal static class Listener
{
    public static void Configure(WebApplicationBuilder builder, ApiServerOptions options, ServingCertificate certificate) =>
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // More than RequestBody takes: what is a little too large is read to its end and told 413, where closing the connection would tell a sender nothing.
            kestrel.Limits.MaxRequestBodySize = 2 * RequestBody.Limit;
            kestrel.Limits.MaxRequestHeadersTotalSize = 64 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(30);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(3);
            kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            // A client whose machine vanished would hold its watches for ever.
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
            kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(30);
            kestrel.Listen(options.Listen, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    HandshakeTimeout = TimeSpan.FromSeconds(15),
                    OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                    {
                        ServerCertificateContext = certificate.Current,
                        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                        ClientCertificateRequired = true,
                        CertificateRevocationCheckMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
                        CertificateChainPolicy = Unbuilt(),
                        // Whose it is and whether it is ours is looked at with the request, so that a wrong one is told 401 and not a TLS alert.
                        RemoteCertificateValidationCallback = (_, _, _, _) => true,
                    }),
                });
            });
        });

    // Nothing is fetched from anywhere while a stranger's certificate is looked at.
    private static System.Security.Cryptography.X509Certificates.X509ChainPolicy Unbuilt() => new()
    {
        DisableCertificateDownloads = true, RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
    };
}
