using System.Globalization;
using System.Text.Json.Nodes;

namespace Flotta.EndToEnd.ApiServer;

/// <summary>
/// List in pages, watch from there, watch again from the last version seen when the connection ends: as the informers of client-go do. Each object counts its writes in
/// data.n, so that a missed, repeated or reordered event shows itself.
/// </summary>
internal sealed class Informer(HttpClient http, string path)
{
    private readonly Dictionary<string, (int Count, long Version)> objects = new(StringComparer.Ordinal);
    private readonly List<string> faults = [];
    private readonly Lock gate = new();

    public long Version { get; private set; }

    public int Events { get; private set; }

    public int Watches { get; private set; }

    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (gate)
                return [.. faults];
        }
    }

    public IReadOnlyDictionary<string, (int Count, long Version)> Objects
    {
        get
        {
            lock (gate)
                return new Dictionary<string, (int, long)>(objects, StringComparer.Ordinal);
        }
    }

    public async Task ListAsync(CancellationToken cancellationToken)
    {
        for (var next = ""; ;)
        {
            var page = JsonNode.Parse(await http.GetStringAsync(new Uri($"{path}?limit=500{next}", UriKind.Relative), cancellationToken))!;
            foreach (var item in page["items"]!.AsArray())
                Put(item!);
            Version = Number(page["metadata"]!["resourceVersion"]);
            if (page["metadata"]!["continue"] is not { } token)
                return;
            next = "&continue=" + Uri.EscapeDataString((string)token!);
        }
    }

    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await WatchOnceAsync(cancellationToken);
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                // Killed under us.
                await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task WatchOnceAsync(CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(
            new Uri($"{path}?watch=true&allowWatchBookmarks=true&resourceVersion={Version}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        Watches++;
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            // What a kill cut off in its middle was not told.
            if (!line.EndsWith('}') || Parse(line) is not { } one)
                return;
            Take((string)one["type"]!, one["object"]!);
        }
    }

    private void Take(string type, JsonNode item)
    {
        lock (gate)
        {
            if (type == "ERROR")
            {
                faults.Add($"the watch from {Version} was refused: {item.ToJsonString()}");
                return;
            }

            var (name, version) = ((string?)item["metadata"]!["name"] ?? "", Number(item["metadata"]!["resourceVersion"]));
            if (version < Version || (version == Version && type != "BOOKMARK"))
                faults.Add($"{type} {name} at {version} came after {Version}");
            Version = version;
            if (type == "BOOKMARK")
                return;
            Events++;
            var known = objects.TryGetValue(name, out var before);
            if (type == "ADDED" == known)
                faults.Add($"{type} {name} at {version}, which was {(known ? "" : "not ")}there");
            if (type == "DELETED")
            {
                objects.Remove(name);
                return;
            }

            var count = Put(item);
            if (known && count != before.Count + 1)
                faults.Add($"{name} went from {before.Count} to {count}: an event is missing or came twice");
        }
    }

    private int Put(JsonNode item)
    {
        var count = Count(item);
        objects[(string)item["metadata"]!["name"]!] = (count, Number(item["metadata"]!["resourceVersion"]));
        return count;
    }

    public static int Count(JsonNode item) => int.Parse((string)item["data"]!["n"]!, CultureInfo.InvariantCulture);

    public static long Number(JsonNode? text) => long.Parse((string)text!, CultureInfo.InvariantCulture);

    private static JsonNode? Parse(string line)
    {
        try
        {
            return JsonNode.Parse(line);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
