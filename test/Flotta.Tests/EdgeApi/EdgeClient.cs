using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.Tests.EdgeApi;

/// <summary>A device's side of the wire, with nothing of ours in it but the path.</summary>
public sealed class EdgeClient : IDisposable
{
    private const string Base = "/api/flotta-management/v1/";
    private readonly HttpClient http;

    public EdgeClient(Uri address, string caPem, X509Certificate2? certificate, params X509Certificate2[] beside)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificateContext = certificate == null ? null : SslStreamCertificateContext.Create(certificate, [.. beside], offline: true),
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck },
            },
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.ImportFromPem(caPem);
        http = new HttpClient(handler) { BaseAddress = address, DefaultRequestVersion = HttpVersion.Version20, Timeout = TimeSpan.FromSeconds(60) };
    }

    public HttpClient Http => http;

    /// <summary>A request on data/in that is held until there is another configuration, for half an hour at most.</summary>
    /// <param name="tag">Of the configuration that the device has.</param>
    public Task<HttpResponseMessage> WaitAsync(string id, string tag, CancellationToken cancellationToken) => GetAsync(
        id,
        "data",
        request =>
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", $"\"{tag}\"");
            request.Headers.TryAddWithoutValidation("Prefer", "wait=1800");
        },
        cancellationToken);

    public Task<HttpResponseMessage> GetAsync(string id, string channel, Action<HttpRequestMessage>? change = null, CancellationToken cancellationToken = default)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"{Base}{channel}/{id}/in") { Version = HttpVersion.Version20 };
        change?.Invoke(request);
        return http.SendAsync(request, cancellationToken);
    }

    public Task<HttpResponseMessage> PostAsync(string id, string channel, byte[] body, string? contentType = "application/json", string? prefer = null)
    {
        var content = new ByteArrayContent(body);
        if (contentType != null)
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        var request = new HttpRequestMessage(HttpMethod.Post, $"{Base}{channel}/{id}/out") { Content = content, Version = HttpVersion.Version20 };
        if (prefer != null)
            request.Headers.TryAddWithoutValidation("Prefer", prefer);
        return http.SendAsync(request);
    }

    public Task<HttpResponseMessage> PostAsync(string id, string channel, string body) => PostAsync(id, channel, Encoding.UTF8.GetBytes(body));

    public Task<HttpResponseMessage> SendAsync(string id, string directive, JsonNode? content, string messageId = "m-1", string? prefer = null) => PostAsync(
        id,
        "data",
        Encoding.UTF8.GetBytes(
            new JsonObject { ["type"] = "data", ["message_id"] = messageId, ["version"] = 1, ["sent"] = "2026-11-22T13:16:56.172548526Z", ["directive"] = directive, ["content"] = content }.ToJsonString()),
        prefer: prefer);

    public Task<HttpResponseMessage> EnrolAsync(string id, JsonObject? content = null, string? prefer = null) =>
        SendAsync(id, "enrolment", content ?? new JsonObject { ["features"] = new JsonObject() }, prefer: prefer);

    public Task<HttpResponseMessage> RegisterAsync(string id, AsymmetricAlgorithm key) =>
        SendAsync(id, "registration", new JsonObject { ["hardware"] = new JsonObject { ["hostname"] = "Host One" }, ["certificate_request"] = Csr(key, id) });

    public Task<HttpResponseMessage> BeatAsync(string id, JsonObject content) => SendAsync(id, "heartbeat", content);

    public static string Csr(AsymmetricAlgorithm key, string name) => (key switch
    {
        ECDsa ecdsa => new CertificateRequest($"CN={name},C=DE", ecdsa, HashAlgorithmName.SHA256),
        RSA rsa => new CertificateRequest($"CN={name}", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        _ => throw new NotSupportedException(),
    }).CreateSigningRequestPem();

    public void Dispose() => http.Dispose();
}

internal static class Responses
{
    public static async Task<int> Status(this Task<HttpResponseMessage> asked)
    {
        using var response = await asked;
        return (int)response.StatusCode;
    }

    public static async Task<JsonNode> Json(this Task<HttpResponseMessage> asked, int status = 200)
    {
        using var response = await asked;
        var body = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(status, body);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        body.ShouldEndWith("\n");
        return JsonNode.Parse(body)!;
    }

    public static async Task Empty(this Task<HttpResponseMessage> asked, int status)
    {
        using var response = await asked;
        var body = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(status, body);
        body.ShouldBeEmpty();
    }
}
