using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Admission;

/// <summary>Calls one webhook over TLS. A service is called by its name in the cluster's DNS, as far as this machine's resolver knows it.</summary>
internal sealed class WebhookClient : IDisposable
{
    private const long LargestAnswer = 3 * 1024 * 1024;

    private readonly HttpClient http;
    private readonly Uri? address;

    public WebhookClient(JsonNode? config)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5), PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        };
        Trust(handler, config.TextAt("caBundle"));
        // Timeouts are of each call.
        http = new HttpClient(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = LargestAnswer };
        address = Address(config);
    }

    /// <exception cref="HttpRequestException">It cannot be reached, or answers with a failure; the message says so.</exception>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    public async Task<JsonObject> AskAsync(JsonObject review, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var called = new UriBuilder(address ?? throw new HttpRequestException("it has no address")) { Query = $"timeout={(int)timeout.TotalSeconds}s" }.Uri;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(timeout);
        try
        {
            using var content = new StringContent(review.ToJsonString(Verbs.Json.Relaxed), Encoding.UTF8, "application/json");
            using var response = await http.PostAsync(called, content, patience.Token);
            if (!response.IsSuccessStatusCode)
                throw new HttpRequestException($"the server answered {(int)response.StatusCode}");
            var body = ObjectBody.ParseJson(await response.Content.ReadAsByteArrayAsync(patience.Token));
            return body.Root as JsonObject ?? throw new HttpRequestException("its answer is no JSON object");
        }
        catch (HttpRequestException e)
        {
            throw new HttpRequestException($"Post {GoText.Quote(called.ToString())}: {e.InnerException?.Message ?? e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"Post {GoText.Quote(called.ToString())}: context deadline exceeded", e);
        }
    }

    public void Dispose() => http.Dispose();

    private static Uri? Address(JsonNode? config)
    {
        if (config.At("url").AsText() is { } url)
            return Uri.TryCreate(url, UriKind.Absolute, out var parsed) ? parsed : null;
        var service = config.At("service");
        var path = service.TextAt("path").TrimStart('/');
        return Uri.TryCreate($"https://{service.TextAt("name")}.{service.TextAt("namespace")}.svc:{service.At("port").AsInteger() ?? 443}/{path}", UriKind.Absolute, out var found) ? found : null;
    }

    private static void Trust(SocketsHttpHandler handler, string bundle)
    {
        if (bundle.Length == 0)
            return;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        try
        {
            policy.CustomTrustStore.ImportFromPem(Encoding.UTF8.GetString(Convert.FromBase64String(bundle)));
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            // Then nobody is trusted, and each call says so.
        }

        handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
    }
}
