using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s;
using k8s.Authentication;

namespace Flotta.Kube;

/// <summary>
/// The connection that a client configuration describes. The official client's own class for it brings every kind that Kubernetes has into
/// the program, and takes a server's certificate for any name once its issuer is the given CA; this one does neither.
/// </summary>
internal static class KubeTransport
{
    /// <exception cref="InvalidOperationException">The configuration names no server, or https without a CA.</exception>
    public static (HttpClient Client, Uri Address, ServiceClientCredentials? Credentials) Open(KubernetesClientConfiguration configuration, DelegatingHandler? between)
    {
        if (!Uri.TryCreate(configuration.Host, UriKind.Absolute, out var address))
            throw new InvalidOperationException($"the kubeconfig's server '{configuration.Host}' is no URL");
        HttpMessageHandler handler = configuration is InProcessAccess inside ? inside.Handler : Network(configuration, address);
        between?.InnerHandler = handler;

        // Each request brings its own deadline.
        return (new HttpClient(between ?? handler) { Timeout = Timeout.InfiniteTimeSpan }, address, Credentials(configuration));
    }

    private static SocketsHttpHandler Network(KubernetesClientConfiguration configuration, Uri address)
    {
        var handler = new SocketsHttpHandler
        {
            // A watch over a dead connection must notice; many watches must not starve on one connection's streams.
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingDelay = TimeSpan.FromSeconds(15),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            EnableMultipleHttp2Connections = true,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            UseCookies = false,
        };
        if (address.Scheme == Uri.UriSchemeHttps)
            handler.SslOptions = Tls(configuration);
        configuration.FirstMessageHandlerSetup?.Invoke(handler);
        return handler;
    }

    private static SslClientAuthenticationOptions Tls(KubernetesClientConfiguration configuration)
    {
        var tls = new SslClientAuthenticationOptions { TargetHost = configuration.TlsServerName };
        var certificate = Pem(configuration.ClientCertificateData, configuration.ClientCertificateFilePath);
        var key = Pem(configuration.ClientCertificateKeyData, configuration.ClientKeyFilePath);
        if (certificate != null && key != null)
            tls.ClientCertificates = [X509Certificate2.CreateFromPem(certificate, key)];
        if (configuration.SkipTlsVerify)
        {
#pragma warning disable CA5359 // The person who wrote the kubeconfig asked for it.
            tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
            return tls;
        }

        tls.CertificateChainPolicy = new X509ChainPolicy
        {
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            TrustMode = configuration.SslCaCerts is null ? X509ChainTrustMode.System : X509ChainTrustMode.CustomRootTrust,
        };
        foreach (var authority in configuration.SslCaCerts ?? [])
            tls.CertificateChainPolicy.CustomTrustStore.Add(authority);
        return tls;
    }

    // A kubeconfig's data are base64 around PEM; what a credential plugin hands over is PEM itself.
    private static string? Pem(string? data, string? file)
    {
        if (string.IsNullOrEmpty(data))
            return string.IsNullOrEmpty(file) ? null : File.ReadAllText(file);
        return data.Contains("-----BEGIN", StringComparison.Ordinal) ? data : Encoding.UTF8.GetString(Convert.FromBase64String(data));
    }

    private static ServiceClientCredentials? Credentials(KubernetesClientConfiguration configuration) => configuration switch
    {
        { TokenProvider: { } tokens } => new TokenCredentials(tokens),
        { AccessToken.Length: > 0 } => new TokenCredentials(configuration.AccessToken),
        { Username.Length: > 0 } => new BasicAuthenticationCredentials { UserName = configuration.Username, Password = configuration.Password },
        _ => null,
    };
}
