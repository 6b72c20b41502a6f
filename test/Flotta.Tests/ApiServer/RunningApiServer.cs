using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer;
using k8s;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.ApiServer;

/// <summary>A server in this process, and a client that may do anything.</summary>
public sealed class RunningApiServer : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private int counter;

    public string DataFolder => folder.File("data");

    public EmbeddedApiServer Server { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public KubernetesClientConfiguration Configuration { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await EmbeddedApiServer.StartAsync(
            new ApiServerOptions { DataDirectory = folder.File("data"), Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        Configuration = ConfigurationOf(Server);
        Http = ClientOf(Configuration);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        folder.Dispose();
    }

    public static KubernetesClientConfiguration ConfigurationOf(EmbeddedApiServer server, string user = "admin")
    {
        using var kubeconfig = new MemoryStream(Encoding.UTF8.GetBytes(server.Kubeconfig(user, "system:masters")));
        return KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig);
    }

    public static HttpClient ClientOf(KubernetesClientConfiguration configuration)
    {
        var client = new k8s.Kubernetes(configuration);
        return client.HttpClient;
    }

    public async Task<Reply> SendAsync(
        HttpMethod method, string path, string? body = null, string contentType = "application/json", string? accept = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(Server.Address, path));
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, MediaTypeHeaderValue.Parse(contentType));
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new Reply(
            (int)response.StatusCode,
            text.StartsWith('{') ? (JsonObject)JsonNode.Parse(text)! : [],
            response.Headers.TryGetValues("Warning", out var warnings) ? [.. warnings] : []);
    }

    public Task<Reply> GetAsync(string path, string? accept = null) => SendAsync(HttpMethod.Get, path, accept: accept);

    public Task<Reply> PostAsync(string path, string body) => SendAsync(HttpMethod.Post, path, body);

    public Task<Reply> PutAsync(string path, string body) => SendAsync(HttpMethod.Put, path, body);

    public Task<Reply> DeleteAsync(string path, string? body = null) => SendAsync(HttpMethod.Delete, path, body);

    public Task<Reply> MergeAsync(string path, string body) => SendAsync(HttpMethod.Patch, path, body, "application/merge-patch+json");

    /// <summary>A namespace of the test's own.</summary>
    public async Task<string> NamespaceAsync()
    {
        var name = "t" + Interlocked.Increment(ref counter);
        (await PostAsync("/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{name}}}"}}""")).Code.ShouldBe(201);
        return name;
    }

    /// <summary>A kind of the test's own: Things in a group, with a status.</summary>
    /// <returns>The group.</returns>
    public async Task<string> DefineAsync(string scope = "Namespaced")
    {
        var group = $"g{Interlocked.Increment(ref counter)}.example.com";
        var made = await PostAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", $$$$$$$$"""
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.{{{{{{{{group}}}}}}}}"},
             "spec":{"group":"{{{{{{{{group}}}}}}}}","scope":"{{{{{{{{scope}}}}}}}}","names":{"plural":"things","kind":"Thing","shortNames":["th"]},
              "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},
               "additionalPrinterColumns":[{"name":"Size","type":"integer","jsonPath":".spec.size"}],
               "selectableFields":[{"jsonPath":".spec.color"}],
               "schema":{"openAPIV3Schema":{"type":"object","properties":{
                 "spec":{"type":"object","properties":{"size":{"type":"integer","minimum":1,"default":3},"color":{"type":"string"},"extra":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
                 "status":{"type":"object","properties":{"phase":{"type":"string"}}}}}}}]}}
            """);
        made.Code.ShouldBe(201, made.Body.ToJsonString());
        return group;
    }

    public static string Thing(string group, string name, string rest = "") =>
        $$"""{"apiVersion":"{{group}}/v1","kind":"Thing","metadata":{"name":"{{name}}"}{{rest}}}""";
}

/// <summary>What came back.</summary>
public sealed record Reply(int Code, JsonObject Body, IReadOnlyList<string> Warnings)
{
    public string Message => (string?)Body["message"] ?? "";

    public string Reason => (string?)Body["reason"] ?? "";

    public string Version => (string?)Body["metadata"]?["resourceVersion"] ?? "";
}

[CollectionDefinition("api server")]
public sealed class ApiServerCollection : ICollectionFixture<RunningApiServer>;
