using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.EndToEnd.ApiServer;

/// <summary>What clients count on while the server is killed again and again.</summary>
public sealed class InformerTests(ITestOutputHelper log)
{
    private const int Objects = 10_000;
    private const int Writers = 8;
    private const string Path = "/api/v1/namespaces/default/configmaps";
    private static readonly int Kills = Environment.GetEnvironmentVariable("FLOTTA_SOAK") == "1" ? 100 : 6;

    private readonly ConcurrentDictionary<string, (int Count, long Version)> acknowledged = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> surprises = new();
    private volatile bool stopping;

    [Fact]
    public async Task Kills_lose_no_acknowledged_write_and_no_event_tell_none_twice_and_versions_never_go_back()
    {
        using var folder = new TemporaryFolder();
        await using var server = new ApiServerProcess(folder.Path, FreePort.Next());
        await server.StartAsync();
        using var http = server.Client();
        await Parallel.ForAsync(0, Objects, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, _) => await CreateAsync(http, $"n{i}"));
        var informer = new Informer(http, Path);
        await informer.ListAsync(CancellationToken.None);
        informer.Objects.Count(one => one.Key[0] == 'n').ShouldBe(Objects);
        using var stop = new CancellationTokenSource();
        var watching = Task.Run(() => informer.WatchAsync(stop.Token));
        var writing = Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(http, writer))).ToList();

        var random = new Random(Seed: 3);
        for (var kill = 0; kill < Kills; kill++)
        {
            // Writes must be under way again, and be watched, or the moment would not be random but early.
            await MovesAsync(informer);
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 500)));
            await server.KillAsync();
            await server.StartAsync();
        }

        await MovesAsync(informer);
        stopping = true;
        await Task.WhenAll(writing);
        var last = new Informer(http, Path);
        await last.ListAsync(CancellationToken.None);
        await Eventually.TrueAsync(
            () => Task.FromResult(informer.Objects.Count == last.Objects.Count && informer.Objects.All(one => last.Objects.GetValueOrDefault(one.Key) == one.Value)),
            TimeSpan.FromSeconds(30), () => $"the informer has {informer.Objects.Count} objects at {informer.Version}, the server {last.Objects.Count} at {last.Version}; {string.Join('\n', informer.Faults)}");
        await stop.CancelAsync();
        await watching;

        informer.Faults.ShouldBeEmpty();
        surprises.ShouldBeEmpty();
        foreach (var (name, (count, version)) in acknowledged)
        {
            last.Objects.ContainsKey(name).ShouldBeTrue(name);
            last.Objects[name].Count.ShouldBeGreaterThanOrEqualTo(count, name);
            last.Objects[name].Version.ShouldBeGreaterThanOrEqualTo(version, name);
        }

        informer.Watches.ShouldBeGreaterThan(Kills);
        informer.Events.ShouldBeGreaterThan(Kills * 10);
        log.WriteLine($"{Kills} kills, {informer.Events} events over {informer.Watches} watches, version {last.Version}");
    }

    private static async Task MovesAsync(Informer informer)
    {
        var before = informer.Events;
        await Eventually.TrueAsync(() => Task.FromResult(informer.Events > before + 20), TimeSpan.FromSeconds(60), () => string.Join('\n', informer.Faults));
    }

    private async Task CreateAsync(HttpClient http, string name)
    {
        using var content = new StringContent(Body(name, 0, null), Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri(Path, UriKind.Relative), content);
        response.EnsureSuccessStatusCode();
        Acknowledge(JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    // Each writer has objects of its own, so that whoever wrote last knows what must be there.
    private async Task WriteAsync(HttpClient http, int writer)
    {
        var random = new Random(writer);
        while (!stopping)
        {
            var name = $"n{(random.Next(Objects / Writers) * Writers) + writer}";
            try
            {
                var present = JsonNode.Parse(await http.GetStringAsync(new Uri($"{Path}/{name}", UriKind.Relative)))!;
                // A write whose answer was lost may have been done or not; one that was acknowledged must be there.
                if (Informer.Count(present) < acknowledged[name].Count || Informer.Number(present["metadata"]!["resourceVersion"]) < acknowledged[name].Version)
                    surprises.Enqueue($"{name} was acknowledged as {acknowledged[name]} and is {present.ToJsonString()}");
                using var content = new StringContent(
                    Body(name, Informer.Count(present) + 1, (string?)present["metadata"]!["resourceVersion"]), Encoding.UTF8, "application/json");
                using var response = await http.PutAsync(new Uri($"{Path}/{name}", UriKind.Relative), content);
                if (response.IsSuccessStatusCode)
                    Acknowledge(JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
                else
                    surprises.Enqueue($"{name}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20));
            }
        }
    }

    private void Acknowledge(JsonNode item) =>
        acknowledged[(string)item["metadata"]!["name"]!] = (Informer.Count(item), Informer.Number(item["metadata"]!["resourceVersion"]));

    private static string Body(string name, int count, string? version) => new JsonObject
    {
        ["metadata"] = version is null ? new JsonObject { ["name"] = name } : new JsonObject { ["name"] = name, ["resourceVersion"] = version },
        ["data"] = new JsonObject { ["n"] = count.ToString(System.Globalization.CultureInfo.InvariantCulture), ["x"] = new string('x', 200) },
    }.ToJsonString();
}
