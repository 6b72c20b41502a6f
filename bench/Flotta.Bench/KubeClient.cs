using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Flotta.Bench;

/// <summary>A plain client of a Kubernetes API, the same for every server: HTTP/2, client certificate, no retries.</summary>
internal sealed class KubeClient : IDisposable
{
    private readonly HttpClient _client;

    public KubeClient(string kubeconfig)
    {
        string Value(string key) => Regex.Match(kubeconfig, key + @":\s*""?(?<value>[^\s,""}]+)", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Groups["value"].Value;
        string Pem(string key) => Encoding.UTF8.GetString(Convert.FromBase64String(Value(key)));
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(Pem("certificate-authority-data"));
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, TrustMode = X509ChainTrustMode.CustomRootTrust };
        policy.CustomTrustStore.AddRange(roots);
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(Pem("client-certificate-data"), Pem("client-key-data")), null, offline: true),
                CertificateChainPolicy = policy,
            },
        };
        _client = new HttpClient(handler)
        {
            BaseAddress = new Uri(Value("server").TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
    }

    public async Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken) => JsonNode.Parse(await GetBytesAsync(path, cancellationToken))!;

    public Task<byte[]> GetBytesAsync(string path, CancellationToken cancellationToken) => _client.GetByteArrayAsync(new Uri(path, UriKind.Relative), cancellationToken);

    public Task PostAsync(string path, byte[] body, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, path, body, "application/json", cancellationToken);

    public Task MergePatchAsync(string path, byte[] body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, path, body, "application/merge-patch+json", cancellationToken);

    public async Task ApplyAsync(string collection, string name, string manifest, CancellationToken cancellationToken) =>
        await SendAsync(HttpMethod.Patch, $"{collection}/{name}?fieldManager=bench&force=true", Encoding.UTF8.GetBytes(manifest), "application/apply-patch+yaml", cancellationToken);

    public Task DeleteAsync(string path, CancellationToken cancellationToken) => SendAsync(HttpMethod.Delete, path, null, "application/json", cancellationToken);

    public async Task<Stream> WatchAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative)) { Version = HttpVersion.Version20 };
        var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStreamAsync(cancellationToken);
    }

    public void Dispose() => _client.Dispose();

    private async Task SendAsync(HttpMethod method, string path, byte[]? body, string type, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Version = HttpVersion.Version20 };
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new(type);
        }

        using var response = await _client.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"{method} {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(cancellationToken)}");
    }
}
