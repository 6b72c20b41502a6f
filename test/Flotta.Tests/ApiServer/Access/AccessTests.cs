using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.Tests.ApiServer.Access;

[Collection("api server")]
public sealed class AccessTests(RunningApiServer server)
{
    [Fact]
    public async Task Who_shows_no_certificate_is_unauthorized_but_may_ask_for_health()
    {
        using var http = Client(null);
        var (code, body) = await GetAsync(http, "/api/v1/namespaces");
        code.ShouldBe(401);
        body.ShouldContain("\"reason\":\"Unauthorized\"");
        (await GetAsync(http, "/apis")).Code.ShouldBe(401);
        (await GetAsync(http, "/version")).Code.ShouldBe(401);
        foreach (var path in new[] { "/healthz", "/livez", "/readyz" })
            (await GetAsync(http, path)).ShouldBe((200, "ok"));
    }

    [Fact]
    public async Task A_certificate_of_somebody_elses_making_is_unauthorized()
    {
        using var key = ECDsa.Create();
        using var made = new CertificateRequest("CN=admin,O=system:masters", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        using var http = Client(made);
        (await GetAsync(http, "/api/v1/namespaces")).Code.ShouldBe(401);
    }

    [Fact]
    public async Task The_servers_own_certificate_is_no_clients()
    {
        var file = Directory.GetFiles(server.DataFolder, "server.pem", SearchOption.AllDirectories).ShouldHaveSingleItem();
        using var stolen = X509Certificate2.CreateFromPemFile(file, file);
        using var http = Client(stolen);
        (await GetAsync(http, "/api/v1/namespaces")).Code.ShouldBe(401);
    }

    [Fact]
    public async Task A_kubeconfig_names_its_user_and_groups()
    {
        using var http = RunningApiServer.ClientOf(RunningApiServer.ConfigurationOf(server.Server, "o'hara: [x]"));
        using var request = new StringContent("""{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}""", Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri(server.Server.Address, "/apis/authentication.k8s.io/v1/selfsubjectreviews"), request);
        var info = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["status"]!["userInfo"]!;
        ((string?)info["username"]).ShouldBe("o'hara: [x]");
        info["groups"]!.AsArray().Select(group => (string?)group).ShouldBe(["system:authenticated", "system:masters"]);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Both_tls_versions_and_both_http_versions_are_served(SslProtocols protocol)
    {
        foreach (var version in new[] { new Version(1, 1), new Version(2, 0) })
        {
            using var http = Client(server.Configuration, protocol);
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Server.Address, "/version")) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var response = await http.SendAsync(request);
            ((int)response.StatusCode).ShouldBe(200);
        }
    }

    [Fact]
    public void Keys_are_readable_by_their_owner_only()
    {
        if (OperatingSystem.IsWindows())
            return;
        foreach (var file in Directory.GetFiles(server.DataFolder, "*", SearchOption.AllDirectories).Where(file => file.EndsWith(".pem", StringComparison.Ordinal) || file.EndsWith(".db", StringComparison.Ordinal)))
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
    }

    private static HttpClient Client(k8s.KubernetesClientConfiguration configuration, SslProtocols protocol)
    {
        var handler = Handler(X509Certificate2.CreateFromPem(Pem(configuration.ClientCertificateData), Pem(configuration.ClientCertificateKeyData)));
        handler.SslOptions.EnabledSslProtocols = protocol;
        return new HttpClient(handler);
    }

    private static string Pem(string data) => Encoding.ASCII.GetString(Convert.FromBase64String(data));

    private static HttpClient Client(X509Certificate2? certificate) => new(Handler(certificate));

    private static SocketsHttpHandler Handler(X509Certificate2? certificate) => new()
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate!,
        },
    };

    private async Task<(int Code, string Body)> GetAsync(HttpClient http, string path)
    {
        using var response = await http.GetAsync(new Uri(server.Server.Address, path));
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
