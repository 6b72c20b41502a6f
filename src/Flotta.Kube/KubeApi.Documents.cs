using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.Kube;

/// <summary>The same verbs for objects as documents: nothing that a type of ours does not know is lost.</summary>
public sealed partial class KubeApi
{
    /// <summary>Everything that is there, page by page. The items say their kind, as those of built-in kinds do not in a list.</summary>
    public async IAsyncEnumerable<JsonObject> DocumentsAsync(
        KubeResource resource, string? @namespace, [EnumeratorCancellation] CancellationToken cancellationToken, int pageSize = 500)
    {
        ArgumentNullException.ThrowIfNull(resource);
        string? next = null;
        do
        {
            var query = string.Create(CultureInfo.InvariantCulture, $"?limit={pageSize}") + (string.IsNullOrEmpty(next) ? "" : "&continue=" + Uri.EscapeDataString(next));
            var page = await SendDocumentAsync(HttpMethod.Get, resource.Collection(@namespace) + query, null, cancellationToken);
            if (page["items"] is JsonArray items)
            {
                foreach (var item in items.OfType<JsonObject>().ToList())
                {
                    items.Remove(item);
                    item["apiVersion"] = resource.ApiVersion;
                    item["kind"] = resource.Kind;
                    yield return item;
                }
            }

            next = page["metadata"]?["continue"]?.GetValue<string>();
        }
        while (!string.IsNullOrEmpty(next));
    }

    /// <summary>The object, or null where there is none.</summary>
    public async Task<JsonObject?> DocumentAsync(KubeResource resource, ObjectKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(resource);
        try
        {
            return await SendDocumentAsync(HttpMethod.Get, resource.One(key), null, cancellationToken);
        }
        catch (KubeException notFound) when (notFound.IsNotFound)
        {
            return null;
        }
    }

    /// <param name="mediaType">Of the body; a patch says of which sort it is.</param>
    public Task<JsonObject> SendDocumentAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellationToken, string mediaType = "application/json") =>
        SendTextAsync(method, path, body?.ToJsonString(), cancellationToken, mediaType);

    /// <summary>For a body that is YAML, as an applied one may be.</summary>
    public Task<JsonObject> SendTextAsync(HttpMethod method, string path, string? body, CancellationToken cancellationToken, string mediaType) => SendAsync(
        method,
        path,
        body is null ? null : new StringContent(body, Encoding.UTF8, mediaType),
        static async (response, patience) =>
        {
            await using var stream = await response.Content.ReadAsStreamAsync(patience);
            return await JsonNode.ParseAsync(stream, cancellationToken: patience) as JsonObject ?? throw new InvalidDataException("the API server's answer is no object");
        },
        cancellationToken);

    /// <summary>What the API server takes the time to be; null where it does not say.</summary>
    public Task<DateTimeOffset?> ServerTimeAsync(CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, "version", null, static (response, _) => ValueTask.FromResult(response.Headers.Date), cancellationToken);
}
