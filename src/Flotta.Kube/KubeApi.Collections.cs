using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Flotta.Kube;

public sealed partial class KubeApi
{
    private static readonly JsonSerializerOptions Json = KubeJson.Options;

    /// <summary>Everything that matches, in pages of <paramref name="pageSize"/>; for short lists that are read once. Loops use an <see cref="ObjectCache{T}"/>.</summary>
    public async Task<IReadOnlyList<T>> ListAsync<T>(string? @namespace, CancellationToken cancellationToken, string? labelSelector = null, string? fieldSelector = null, int pageSize = 500)
        where T : class
    {
        var all = new List<T>();
        string? next = null;
        do
        {
            var page = await ListPageAsync<T>(@namespace, labelSelector, fieldSelector, pageSize, next, cancellationToken);
            all.AddRange(page.Items);
            next = page.Metadata.ContinueProperty;
        }
        while (!string.IsNullOrEmpty(next));
        return all;
    }

    internal Task<ObjectPage<T>> ListPageAsync<T>(string? @namespace, string? labelSelector, string? fieldSelector, int limit, string? next, CancellationToken cancellationToken)
        where T : class
    {
        var query = Query(labelSelector, fieldSelector) + string.Create(CultureInfo.InvariantCulture, $"limit={limit}");
        if (!string.IsNullOrEmpty(next))
            query += "&continue=" + Uri.EscapeDataString(next);
        return SendAsync<ObjectPage<T>>(HttpMethod.Get, KubeKind<T>.Collection(@namespace) + query, null, cancellationToken);
    }

    /// <summary>
    /// One watch, until the server ends it (normal), the connection breaks (an I/O exception) or the resourceVersion is too old
    /// (a <see cref="KubeException"/> that <see cref="KubeException.IsGone"/>). Bookmarks arrive as changes of type Bookmark.
    /// </summary>
    internal async IAsyncEnumerable<(WatchEventType Type, T Object)> WatchAsync<T>(
        string? @namespace, string? labelSelector, string? fieldSelector, string resourceVersion, TimeSpan duration, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        var query = Query(labelSelector, fieldSelector) + string.Create(
            CultureInfo.InvariantCulture,
            $"watch=true&allowWatchBookmarks=true&timeoutSeconds={(int)duration.TotalSeconds}&resourceVersion={Uri.EscapeDataString(resourceVersion)}");

        // The server ends the watch after the duration; one that does not has lost us, and we it.
        using var patience = new CancellationTokenSource(duration + TimeSpan.FromSeconds(30), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        using var response = await SendAsync(HttpMethod.Get, KubeKind<T>.Collection(@namespace) + query, null, both.Token);
        await using var stream = await response.Content.ReadAsStreamAsync(both.Token);
        using var lines = new StreamReader(stream, bufferSize: 16 * 1024);
        while (await lines.ReadLineAsync(both.Token) is { } line)
        {
            if (line.Length == 0)
                continue;
            var change = JsonSerializer.Deserialize<Change>(line, Json) ?? throw new InvalidDataException("the API server sent null where a watch event belongs");
            yield return change.Type switch
            {
                "ADDED" => (WatchEventType.Added, Read(change.Object)),
                "MODIFIED" => (WatchEventType.Modified, Read(change.Object)),
                "DELETED" => (WatchEventType.Deleted, Read(change.Object)),
                "BOOKMARK" => (WatchEventType.Bookmark, Read(change.Object)),
                "ERROR" => throw Refusal.Of(change.Object.Deserialize<V1Status>(Json) ?? new V1Status()),
                _ => throw new InvalidDataException($"the API server sent a watch event of type {change.Type}"),
            };
        }

        static T Read(JsonElement element) => element.Deserialize<T>(Json) ?? throw new InvalidDataException("the API server sent null where an object belongs");
    }

    private static string Query(string? labelSelector, string? fieldSelector)
    {
        var query = "?";
        if (!string.IsNullOrEmpty(labelSelector))
            query += "labelSelector=" + Uri.EscapeDataString(labelSelector) + "&";
        if (!string.IsNullOrEmpty(fieldSelector))
            query += "fieldSelector=" + Uri.EscapeDataString(fieldSelector) + "&";
        return query;
    }

    private sealed record Change([property: JsonPropertyName("type")] string Type, [property: JsonPropertyName("object")] JsonElement Object);
}

internal sealed class ObjectPage<T>
{
    [JsonPropertyName("metadata")]
    public V1ListMeta Metadata { get; init; } = new();

    [JsonPropertyName("items")]
    public List<T> Items { get; init; } = [];
}
