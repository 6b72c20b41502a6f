using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
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
    private readonly TimeProvider time;
    private readonly Func<TimeSpan>? mayWriteFor;

    internal KubeApi(HttpClient http, Uri address, TimeProvider time, ServiceClientCredentials? credentials = null)
    {
        this.http = http;
        this.address = new Uri(address.AbsoluteUri.TrimEnd('/') + "/");
        this.time = time;
        this.credentials = credentials;
    }

    private KubeApi(KubeApi connection, Func<TimeSpan> mayWriteFor)
    {
        (http, address, credentials, time, RequestTimeout) = (connection.http, connection.address, connection.credentials, connection.time, connection.RequestTimeout);
        this.mayWriteFor = mayWriteFor;
    }

    /// <summary>How long one request (not a watch) may take.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <param name="name">Who asks: stands in audit logs, and in managedFields as the manager of what is written.</param>
    public static KubeApi Connect(KubernetesClientConfiguration configuration, TimeProvider time, string name = "flotta") => Connect(configuration, time, null, name);

    internal static KubeApi Connect(KubernetesClientConfiguration configuration, TimeProvider time, DelegatingHandler? between, string name = "flotta")
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var (client, server, credentials) = KubeTransport.Open(configuration, between);
        client.DefaultRequestHeaders.UserAgent.ParseAdd($"{name}/{typeof(KubeApi).Assembly.GetName().Version?.ToString(3)}");
        return new KubeApi(client, server, time, credentials);
    }

    /// <summary>
    /// The same connection for somebody who may write only for as long as <paramref name="left"/> says, such as the holder of a Lease: asked before each write, which
    /// is given no more time than that. A write that comes too late is a <see cref="LeaseLostException"/>. Only the connection itself is to be disposed of.
    /// </summary>
    public KubeApi Fenced(Func<TimeSpan> left) => new(this, left);

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

    /// <summary>Whose token this is. Reviews are no objects: they have a path and no place.</summary>
    public Task<V1TokenReview> ReviewAsync(V1TokenReview review, CancellationToken cancellationToken) =>
        SendAsync<V1TokenReview>(HttpMethod.Post, "apis/authentication.k8s.io/v1/tokenreviews", Body(review), cancellationToken);

    /// <summary>Whether somebody may do something.</summary>
    public Task<V1SubjectAccessReview> ReviewAsync(V1SubjectAccessReview review, CancellationToken cancellationToken) =>
        SendAsync<V1SubjectAccessReview>(HttpMethod.Post, "apis/authorization.k8s.io/v1/subjectaccessreviews", Body(review), cancellationToken);

    /// <summary>A token for a service account, good for a while.</summary>
    public Task<Authenticationv1TokenRequest> TokenAsync(ObjectKey account, TimeSpan good, CancellationToken cancellationToken) => SendAsync<Authenticationv1TokenRequest>(
        HttpMethod.Post,
        KubeKind<V1ServiceAccount>.One(account) + "/token",
        Body(new Authenticationv1TokenRequest { ApiVersion = "authentication.k8s.io/v1", Kind = "TokenRequest", Spec = new() { ExpirationSeconds = (long)good.TotalSeconds, Audiences = [] } }),
        cancellationToken);

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
    public Task ApplyAsync<T>(ObjectKey key, string yaml, string fieldManager, CancellationToken cancellationToken)
        where T : class
        => SendAsync(
            HttpMethod.Patch,
            $"{KubeKind<T>.One(key)}?fieldManager={Uri.EscapeDataString(fieldManager)}&force=true",
            new StringContent(yaml, Encoding.UTF8, "application/apply-patch+yaml"),
            static (_, _) => ValueTask.FromResult(true),
            cancellationToken);

    /// <summary>Deletes; false where there was nothing to delete.</summary>
    public async Task<bool> DeleteAsync<T>(ObjectKey key, CancellationToken cancellationToken, V1Preconditions? preconditions = null)
        where T : class
    {
        var options = new V1DeleteOptions { ApiVersion = "v1", Kind = "DeleteOptions", Preconditions = preconditions, PropagationPolicy = "Background" };
        try
        {
            return await SendAsync(HttpMethod.Delete, KubeKind<T>.One(key), Body(options), static (_, _) => ValueTask.FromResult(true), cancellationToken);
        }
        catch (KubeException notFound) when (notFound.IsNotFound)
        {
            return false;
        }
    }

    private static ByteArrayContent Body<T>(T thing) =>
        new(JsonSerializer.SerializeToUtf8Bytes(thing, KubeJson.Type<T>())) { Headers = { ContentType = new MediaTypeHeaderValue("application/json", "utf-8") } };

    private static StringContent Patch(JsonNode patch, string mediaType) => new(patch.ToJsonString(), Encoding.UTF8, mediaType);

    private Task<T> SendAsync<T>(HttpMethod method, string path, HttpContent? body, CancellationToken cancellationToken) => SendAsync(
        method,
        path,
        body,
        async (response, patience) =>
        {
            // One object is small: read whole, it is parsed in half the time.
            var bytes = await response.Content.ReadAsByteArrayAsync(patience);
            return JsonSerializer.Deserialize(bytes, KubeJson.Type<T>()) ?? throw Null(method, path);
        },
        cancellationToken);

    private static InvalidDataException Null(HttpMethod method, string path) => new($"the API server answered {method} {path} with null");

    /// <summary>Every request but a watch goes through here: sent, answered and read before <see cref="RequestTimeout"/>.</summary>
    private async Task<T> SendAsync<T>(
        HttpMethod method, string path, HttpContent? body, Func<HttpResponseMessage, CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken)
    {
        var left = MayTake(method);
        using var patience = new CancellationTokenSource(left, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var response = await SendAsync(method, path, body, both.Token);
            return await read(response, both.Token);
        }
        catch (Exception late) when (both.IsCancellationRequested && IsEnding(late))
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"the API server did not answer {method} {path} within {left.TotalSeconds:0.#} s"), late);
        }
        catch (OperationCanceledException late)
        {
            // So says the handler that no connection came about in its time.
            throw new TimeoutException($"the API server at {address} could not be reached in time for {method} {path}", late);
        }
    }

    /// <summary>What a request that nobody waits for any more ends with: an answer that is cut off while it is read may also look like a broken connection.</summary>
    internal static bool IsEnding(Exception exception) => exception is OperationCanceledException or IOException or HttpRequestException;

    private TimeSpan MayTake(HttpMethod method)
    {
        if (mayWriteFor is null || method == HttpMethod.Get)
            return RequestTimeout;
        var left = mayWriteFor();
        if (left <= TimeSpan.Zero)
            throw new LeaseLostException();
        return left < RequestTimeout ? left : RequestTimeout;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(address, path)) { Content = body, Version = System.Net.HttpVersion.Version20 };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (credentials != null)
            await credentials.ProcessHttpRequestAsync(request, cancellationToken);
        MayTake(method); // a token may have taken its time
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw await Refusal.OfAsync(response, cancellationToken);
    }

    public void Dispose() => http.Dispose();
}
