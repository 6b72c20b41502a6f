using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Flotta.Kube;

public sealed partial class KubeApi
{
    /// <summary>Everything that matches, in pages of <paramref name="pageSize"/>; for short lists that are read once. Loops use an <see cref="ObjectCache{T}"/>.</summary>
    public async Task<IReadOnlyList<T>> ListAsync<T>(string? @namespace, CancellationToken cancellationToken, string? labelSelector = null, string? fieldSelector = null, int pageSize = 500)
        where T : class
    {
        var all = new List<T>();
        string? next = null;
        do
        {
            var page = await ListPageAsync<T>(@namespace, labelSelector, fieldSelector, pageSize, next, cancellationToken);
            all.AddRange(page.Items.Select(KubeObject.Read<T>));
            next = page.Metadata.ContinueProperty;
        }
        while (!string.IsNullOrEmpty(next));
        return all;
    }

    internal Task<ObjectPage> ListPageAsync<T>(string? @namespace, string? labelSelector, string? fieldSelector, int limit, string? next, CancellationToken cancellationToken)
        where T : class
    {
        var query = Query(labelSelector, fieldSelector) + string.Create(CultureInfo.InvariantCulture, $"limit={limit}");
        if (!string.IsNullOrEmpty(next))
            query += "&continue=" + Uri.EscapeDataString(next);
        var path = KubeKind<T>.Collection(@namespace) + query;
        // Read as it arrives: a page is megabytes.
        return SendAsync(
            HttpMethod.Get,
            path,
            null,
            async (response, patience) =>
            {
                await using var stream = await response.Content.ReadAsStreamAsync(patience);
                return await JsonSerializer.DeserializeAsync(stream, KubeJson.Type<ObjectPage>(), patience) ?? throw Null(HttpMethod.Get, path);
            },
            cancellationToken);
    }

    /// <summary>
    /// One watch, until the server ends it (normal), the connection breaks (an I/O exception) or the resourceVersion is too old
    /// (a <see cref="KubeException"/> that <see cref="KubeException.IsGone"/>). Bookmarks arrive as changes of type Bookmark.
    /// </summary>
    internal async IAsyncEnumerable<(WatchEventType Type, JsonElement Object)> WatchAsync<T>(
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
        var lines = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 * 1024, leaveOpen: true));
        try
        {
            while (true)
            {
                var read = await lines.ReadAsync(both.Token);
                var rest = read.Buffer;
                while (TakeLine(ref rest, read.IsCompleted) is { } line)
                {
                    if (Change(line) is { } change)
                        yield return change;
                }

                lines.AdvanceTo(rest.Start, rest.End);
                if (read.IsCompleted)
                    yield break;
            }
        }
        finally
        {
            await lines.CompleteAsync();
        }
    }

    private static ReadOnlySequence<byte>? TakeLine(ref ReadOnlySequence<byte> from, bool isLast)
    {
        if (from.PositionOf((byte)'\n') is { } end)
        {
            var line = from.Slice(0, end);
            from = from.Slice(from.GetPosition(1, end));
            return line;
        }

        if (!isLast || from.IsEmpty)
            return null;
        var rest = from;
        from = from.Slice(from.End);
        return rest;
    }

    private static (WatchEventType Type, JsonElement Object)? Change(ReadOnlySequence<byte> line)
    {
        if (line.IsEmpty)
            return null;
        var reader = new Utf8JsonReader(line);
        var change = JsonSerializer.Deserialize(ref reader, KubeJson.Type<WatchedChange>()) ?? throw new InvalidDataException("the API server sent null where a watch event belongs");
        return change.Type switch
        {
            "ADDED" => (WatchEventType.Added, change.Object),
            "MODIFIED" => (WatchEventType.Modified, change.Object),
            "DELETED" => (WatchEventType.Deleted, change.Object),
            "BOOKMARK" => (WatchEventType.Bookmark, change.Object),
            "ERROR" => throw Refusal.Of(change.Object.Deserialize(KubeJson.Type<V1Status>()) ?? new V1Status()),
            _ => throw new InvalidDataException($"the API server sent a watch event of type {change.Type}"),
        };
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

}

/// <summary>One line of a watch.</summary>
internal sealed record WatchedChange([property: JsonPropertyName("type")] string Type, [property: JsonPropertyName("object")] JsonElement Object);

internal enum WatchEventType
{
    Added,
    Modified,
    Deleted,
    Bookmark,
}

/// <summary>The objects are read one by one: one that cannot be read must not cost the others.</summary>
internal sealed class ObjectPage
{
    [JsonPropertyName("metadata")]
    public V1ListMeta Metadata { get; init => field = value ?? new(); } = new();

    [JsonPropertyName("items")]
    public List<JsonElement> Items { get; init => field = value ?? []; } = [];
}
