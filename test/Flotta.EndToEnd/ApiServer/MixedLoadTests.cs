using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.EndToEnd.ApiServer;

/// <summary>
/// Everything that clients do, at once: what is served stays right, memory stays flat and the file bounded. A quarter of a minute without a pause; FLOTTA_SOAK=1 makes it
/// FLOTTA_SOAK_MINUTES (30) at some hundred requests a second, long enough for history to be compacted many times.
/// </summary>
public sealed class MixedLoadTests(ITestOutputHelper log)
{
    private const int Clients = 12;
    private const int NamesOfEach = 40;
    private const int Samples = 60;
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("FLOTTA_SOAK") == "1";
    private static readonly TimeSpan Duration = IsLong
        ? TimeSpan.FromMinutes(double.Parse(Environment.GetEnvironmentVariable("FLOTTA_SOAK_MINUTES") ?? "30", CultureInfo.InvariantCulture)) : TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(IsLong ? 30 : 0);

    private static readonly string[] Collections = ["/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/secrets", "/apis/load.example.com/v1/namespaces/default/things"];

    private readonly ConcurrentDictionary<string, long> done = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> surprises = new();

    [Fact]
    public async Task Mixed_load_leaves_memory_flat_and_the_file_bounded()
    {
        using var folder = new TemporaryFolder();
        await using var server = new ApiServerProcess(folder.Path, FreePort.Next());
        await server.StartAsync();
        using var http = server.Client();
        await DefineAsync(http);
        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(0, Clients).Select(client => Task.Run(() => LoadAsync(http, client, stop.Token))).ToList();
        clients.Add(Task.Run(() => WatchAsync(http, stop.Token)));

        var (memory, file) = (new List<double>(), new List<double>());
        for (var sample = 0; sample < Samples; sample++)
        {
            await Task.Delay(Duration / Samples);
            memory.Add(server.MemoryMiB);
            file.Add(Directory.EnumerateFiles(folder.Path, "*.db*", SearchOption.AllDirectories).Sum(path => new FileInfo(path).Length) / 1048576.0);
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(TimeSpan.FromSeconds(30));
        log.WriteLine($"{done.Values.Sum()} requests in {Duration.TotalMinutes:0.0} min: {string.Join(", ", done.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key} {one.Value}"))}");
        log.WriteLine($"memory {Text(memory)} MiB; files {Text(file)} MiB");

        surprises.ShouldBeEmpty();
        done.Values.Sum().ShouldBeGreaterThan(Clients * 20L);
        foreach (var verb in (string[])["create", "update", "patch", "apply", "delete", "get", "list", "watched"])
            done.GetValueOrDefault(verb).ShouldBeGreaterThan(0, verb);
        foreach (var collection in Collections)
            ((await Json(http, collection))["items"]!.AsArray().Count).ShouldBeLessThanOrEqualTo(Clients * NamesOfEach, collection);
        memory.Max().ShouldBeLessThan(400);
        file.Count(one => one > 0).ShouldBe(Samples);
        if (!IsLong)
            return;
        // The first third fills caches and history; then nothing may grow any more.
        Average(memory, 2).ShouldBeLessThan((Average(memory, 1) * 1.15) + 10, "memory grows: " + Text(memory));
        Average(file, 2).ShouldBeLessThan((Average(file, 1) * 1.15) + 20, "the file grows: " + Text(file));
    }

    private static double Average(List<double> values, int third) => values.Skip(third * Samples / 3).Take(Samples / 3).Average();

    private static string Text(IEnumerable<double> values) => string.Join(' ', values.Select(value => value.ToString("0", CultureInfo.InvariantCulture)));

    private static async Task DefineAsync(HttpClient http)
    {
        using var content = new StringContent(
            """
            {"metadata":{"name":"things.load.example.com"},"spec":{"group":"load.example.com","scope":"Namespaced","names":{"plural":"things","singular":"thing","kind":"Thing","listKind":"ThingList"},
             "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{
               "data":{"type":"object","additionalProperties":{"type":"string"}},"size":{"type":"integer","default":1} }} }}] }}
            """,
            Encoding.UTF8,
            "application/json");
        using var made = await http.PostAsync(new Uri("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", UriKind.Relative), content);
        made.EnsureSuccessStatusCode();
    }

    // Each has names of its own, so that it knows what may be answered.
    private async Task LoadAsync(HttpClient http, int client, CancellationToken stop)
    {
        var random = new Random(client);
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(Pause, CancellationToken.None);
            var collection = Collections[random.Next(Collections.Length)];
            var name = $"c{client}-{random.Next(NamesOfEach)}";
            var text = new string((char)('a' + random.Next(26)), random.Next(200, 4000));
            var one = $"{collection}/{name}";
            switch (random.Next(8))
            {
                case 0:
                    await SendAsync(http, "create", HttpMethod.Post, collection, Body(collection, name, text), "application/json", HttpStatusCode.Conflict);
                    break;
                case 1:
                    await UpdateAsync(http, collection, name, text);
                    break;
                case 2:
                    await SendAsync(http, "patch", HttpMethod.Patch, one, $$$"""{"data":{"p":"{{{Base64(collection, text)}}}"}}""", "application/merge-patch+json", HttpStatusCode.NotFound);
                    break;
                case 3:
                    await SendAsync(http, "apply", HttpMethod.Patch, $"{one}?fieldManager=load&force=true", Body(collection, name, text), "application/apply-patch+yaml", HttpStatusCode.OK);
                    break;
                case 4:
                    await SendAsync(http, "delete", HttpMethod.Delete, one, null, "", HttpStatusCode.NotFound);
                    break;
                case 5:
                    await SendAsync(http, "list", HttpMethod.Get, $"{collection}?limit=50&labelSelector=client%3Dc{client}", null, "", HttpStatusCode.OK);
                    break;
                default:
                    await SendAsync(http, "get", HttpMethod.Get, one, null, "", HttpStatusCode.NotFound);
                    break;
            }
        }
    }

    // With the version that was read: custom kinds are not replaced without one.
    private async Task UpdateAsync(HttpClient http, string collection, string name, string text)
    {
        using var present = await http.GetAsync(new Uri($"{collection}/{name}", UriKind.Relative));
        if (present.StatusCode == HttpStatusCode.NotFound)
            return;
        var body = JsonNode.Parse(Body(collection, name, text))!;
        body["metadata"]!["resourceVersion"] = (string?)JsonNode.Parse(await present.Content.ReadAsStringAsync())!["metadata"]!["resourceVersion"];
        await SendAsync(http, "update", HttpMethod.Put, $"{collection}/{name}", body.ToJsonString(), "application/json", HttpStatusCode.OK);
    }

    private async Task WatchAsync(HttpClient http, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var version = (string?)(await Json(http, Collections[0] + "?limit=1"))["metadata"]!["resourceVersion"];
            using var response = await http.GetAsync(
                new Uri($"{Collections[0]}?watch=true&resourceVersion={version}&timeoutSeconds=5", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(CancellationToken.None));
            while (await lines.ReadLineAsync(CancellationToken.None) is { } line)
            {
                if (line.StartsWith("{\"type\":\"ERROR\"", StringComparison.Ordinal))
                    surprises.Enqueue(line);
                Count("watched");
            }
        }
    }

    private async Task SendAsync(HttpClient http, string verb, HttpMethod method, string path, string? body, string type, HttpStatusCode also)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8);
            request.Content.Headers.ContentType = new(type);
        }

        using var answer = await http.SendAsync(request);
        await answer.Content.CopyToAsync(Stream.Null);
        if (!answer.IsSuccessStatusCode && answer.StatusCode != also)
            surprises.Enqueue($"{verb} {path}: {(int)answer.StatusCode}");
        Count(verb);
    }

    private void Count(string verb) => done.AddOrUpdate(verb, 1, (_, count) => count + 1);

    private static async Task<JsonNode> Json(HttpClient http, string path) => JsonNode.Parse(await http.GetStringAsync(new Uri(path, UriKind.Relative)))!;

    private static string Base64(string collection, string text) => collection == Collections[1] ? Convert.ToBase64String(Encoding.UTF8.GetBytes(text)) : text;

    private static string Body(string collection, string name, string text)
    {
        var (version, kind) = collection switch
        {
            var one when one == Collections[0] => ("v1", "ConfigMap"),
            var one when one == Collections[1] => ("v1", "Secret"),
            _ => ("load.example.com/v1", "Thing"),
        };
        return $$$"""
            {"apiVersion":"{{{version}}}","kind":"{{{kind}}}","metadata":{"name":"{{{name}}}","labels":{"client":"{{{name[..name.IndexOf('-', StringComparison.Ordinal)]}}}"}},"data":{"x":"{{{Base64(collection, text)}}}"}}
            """;
    }
}
