using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using k8s;
using k8s.Authentication;
using k8s.Models;

namespace Flotta.Kube;

/// <summary>
/// The verbs of the Kubernetes API for any kind, over the official client's transport and serialisation. The client's own generic
/// verbs lack the status subresource, preconditions and bookmarks. Every answer that is not 2xx becomes a <see cref="KubeException"/>.
/// </summary>
public sealed partial class KubeApi : IDisposable
{
    private readonly HttpClient http;
    private readonly Uri address;
    private readonly ServiceClientCredentials? credentials;
    private readonly IDisposable owned;
    private readonly TimeProvider time;

    internal KubeApi(HttpClient http, Uri address, TimeProvider time, ServiceClientCredentials? credentials = null, IDisposable? owned = null)
    {
        this.http = http;
        this.address = new Uri(address.AbsoluteUri.TrimEnd('/') + "/");
        this.time = time;
        this.credentials = credentials;
        this.owned = owned ?? http;
    }

    /// <summary>How long one request (not a watch) may take.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public static KubeApi Connect(KubernetesClientConfiguration configuration, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var setup = configuration.FirstMessageHandlerSetup;
        configuration.FirstMessageHandlerSetup = handler =>
        {
            // A watch over a dead connection must notice; many watches must not starve on one connection's streams.
            handler.KeepAlivePingDelay = TimeSpan.FromSeconds(15);
            handler.KeepAlivePingTimeout = TimeSpan.FromSeconds(10);
            handler.EnableMultipleHttp2Connections = true;
            handler.ConnectTimeout = TimeSpan.FromSeconds(10);
            handler.PooledConnectionLifetime = TimeSpan.FromMinutes(10);
            setup?.Invoke(handler);
        };
        var client = new Kubernetes(configuration);
        client.HttpClient.Timeout = Timeout.InfiniteTimeSpan; // every request brings its own
        return new KubeApi(client.HttpClient, client.BaseUri, time, client.Credentials, client);
    }

    /// <summary>The object, or null where there is none.</summary>
    public async Task<T?> GetAsync<T>(ObjectKey key, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await SendAsync<T>(HttpMethod.Get, KubeKind<T>.One(key), null, cancellationToken);
        }
        catch (KubeException notFound) when (notFound.IsNotFound)
        {
            return null;
        }
    }

    public Task<T> CreateAsync<T>(T thing, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(thing);
        return SendAsync<T>(HttpMethod.Post, KubeKind<T>.Collection(thing.Metadata.NamespaceProperty), Body(thing), cancellationToken);
    }

    /// <summary>Replaces all but the status. With a resourceVersion in the metadata, a <see cref="KubeException.IsConflict"/> tells of a change in between.</summary>
    public Task<T> ReplaceAsync<T>(T thing, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
        => SendAsync<T>(HttpMethod.Put, KubeKind<T>.One(ObjectKey.Of(thing)), Body(thing), cancellationToken);

    public Task<T> ReplaceStatusAsync<T>(T thing, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
        => SendAsync<T>(HttpMethod.Put, KubeKind<T>.One(ObjectKey.Of(thing)) + "/status", Body(thing), cancellationToken);

    /// <summary>Merge patch (RFC 7386). Put <c>metadata.resourceVersion</c> into the patch to have it refused after a change in between.</summary>
    public Task<T> MergePatchAsync<T>(ObjectKey key, JsonObject patch, CancellationToken cancellationToken)
        where T : class
        => SendAsync<T>(HttpMethod.Patch, KubeKind<T>.One(key), Patch(patch, "application/merge-patch+json"), cancellationToken);

    public Task<T> MergePatchStatusAsync<T>(ObjectKey key, JsonObject patch, CancellationToken cancellationToken)
        where T : class
        => SendAsync<T>(HttpMethod.Patch, KubeKind<T>.One(key) + "/status", Patch(patch, "application/merge-patch+json"), cancellationToken);

    /// <summary>JSON patch (RFC 6902).</summary>
    public Task<T> JsonPatchAsync<T>(ObjectKey key, JsonArray patch, CancellationToken cancellationToken)
        where T : class
        => SendAsync<T>(HttpMethod.Patch, KubeKind<T>.One(key), Patch(patch, "application/json-patch+json"), cancellationToken);

    /// <summary>Server-side apply of one YAML document; what others own in the object and the document sets becomes ours.</summary>
    public async Task ApplyAsync<T>(ObjectKey key, string yaml, string fieldManager, CancellationToken cancellationToken)
        where T : class
    {
        using var patience = new CancellationTokenSource(RequestTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        using var body = new StringContent(yaml, Encoding.UTF8, "application/apply-patch+yaml");
        using var response = await SendAsync(HttpMethod.Patch, $"{KubeKind<T>.One(key)}?fieldManager={Uri.EscapeDataString(fieldManager)}&force=true", body, both.Token);
    }

    /// <summary>Deletes; false where there was nothing to delete.</summary>
    public async Task<bool> DeleteAsync<T>(ObjectKey key, CancellationToken cancellationToken, V1Preconditions? preconditions = null)
        where T : class
    {
        var options = new V1DeleteOptions { ApiVersion = "v1", Kind = "DeleteOptions", Preconditions = preconditions, PropagationPolicy = "Background" };
        try
        {
            using var response = await SendAsync(HttpMethod.Delete, KubeKind<T>.One(key), Body(options), cancellationToken);
            return true;
        }
        catch (KubeException notFound) when (notFound.IsNotFound)
        {
            return false;
        }
    }

    private static StringContent Body(object thing) => new(KubeJson.Serialize(thing), Encoding.UTF8, "application/json");

    private static StringContent Patch(JsonNode patch, string mediaType) => new(patch.ToJsonString(), Encoding.UTF8, mediaType);

    private async Task<T> SendAsync<T>(HttpMethod method, string path, HttpContent? body, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(RequestTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var response = await SendAsync(method, path, body, both.Token);
            await using var stream = await response.Content.ReadAsStreamAsync(both.Token);
            return await System.Text.Json.JsonSerializer.DeserializeAsync<T>(stream, Json, both.Token)
                ?? throw new InvalidDataException($"the API server answered {method} {path} with null");
        }
        catch (OperationCanceledException late) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"the API server did not answer {method} {path} within {RequestTimeout.TotalSeconds} s"), late);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(address, path)) { Content = body, Version = System.Net.HttpVersion.Version20 };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (credentials != null)
            await credentials.ProcessHttpRequestAsync(request, cancellationToken);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw await Refusal.OfAsync(response, cancellationToken);
    }

    public void Dispose() => owned.Dispose();
}
