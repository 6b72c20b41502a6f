using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer;

namespace Flotta.Tests.ApiServer.Access;

/// <summary>Somebody with a certificate or a token of their own.</summary>
internal sealed class Person : IDisposable
{
    private readonly HttpClient http;
    private readonly Uri address;

    private Person(HttpClient http, Uri address)
    {
        this.http = http;
        this.address = address;
    }

    public static Person With(RunningApiServer server, string user, params string[] groups) => With(server.Server, user, groups);

    public static Person With(EmbeddedApiServer server, string user, params string[] groups)
    {
        using var kubeconfig = new MemoryStream(Encoding.UTF8.GetBytes(server.Kubeconfig(user, groups)));
        return new Person(RunningApiServer.ClientOf(k8s.KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig)), server.Address);
    }

    /// <summary>Without a certificate.</summary>
    public static Person WithToken(Uri address, string? token)
    {
        var made = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } });
        if (token is not null)
            made.DefaultRequestHeaders.Authorization = new("Bearer", token);
        return new Person(made, address);
    }

    public Task<Reply> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, null, headers);

    public Task<Reply> PostAsync(string path, string body) => SendAsync(HttpMethod.Post, path, body);

    public async Task<Reply> SendAsync(HttpMethod method, string path, string? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(address, path));
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new Reply((int)response.StatusCode, text.StartsWith('{') ? (JsonObject)JsonNode.Parse(text)! : [], []);
    }

    public void Dispose() => http.Dispose();
}
