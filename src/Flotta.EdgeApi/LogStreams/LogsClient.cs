using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Flotta.Kube;
using Flotta.Wire;

namespace Flotta.EdgeApi.LogStreams;

/// <summary>
/// Asks an Edge API for logs. Its listener is made for devices and wants a certificate of everybody: people, who have none, show one made a moment ago, which says nothing, and
/// their token, which does.
/// </summary>
public sealed class LogsClient : IDisposable
{
    private readonly X509Certificate2 nobody;
    private readonly HttpClient http;

    /// <param name="serverName">The name in the Edge API's certificate, however it is reached.</param>
    public LogsClient(Uri address, IEnumerable<X509Certificate2> authorities, string serverName)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        nobody = new CertificateRequest("CN=person", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        foreach (var authority in authorities)
            policy.CustomTrustStore.Add(authority);
        http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            // A workload that says nothing is no dead connection.
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
            SslOptions = new SslClientAuthenticationOptions
            {
                TargetHost = serverName,
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificateContext = SslStreamCertificateContext.Create(nobody, null, offline: true),
                CertificateChainPolicy = policy,
            },
        })
        {
            BaseAddress = address,
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
        };
    }

    /// <summary>The answer as soon as its head is there. The caller disposes it, which ends the look.</summary>
    public Task<HttpResponseMessage> AskAsync(ObjectKey device, LogArguments asked, string token, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, LogQuery.PathOf(device, asked)), token, cancellationToken);

    internal async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string token, CancellationToken cancellationToken)
    {
        using var asking = request;
        asking.Version = HttpVersion.Version20;
        asking.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            return await http.SendAsync(asking, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"the Edge API at {http.BaseAddress} could not be reached in time", late);
        }
    }

    public void Dispose()
    {
        http.Dispose();
        nobody.Dispose();
    }
}
