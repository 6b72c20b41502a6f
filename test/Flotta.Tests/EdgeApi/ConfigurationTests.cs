using System.Diagnostics;
using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.Tests.EdgeApi;

/// <summary>How a configuration reaches a device: at once, when something changes, and not at all when nothing does.</summary>
public sealed class ConfigurationTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    [Fact]
    public async Task The_same_content_is_304_and_another_is_not()
    {
        var (id, client) = await world.DeviceAsync();
        using var first = await client.GetAsync(id, "data");
        var tag = first.Headers.ETag!.Tag;
        tag.ShouldBe($"\"{JsonNode.Parse(await first.Content.ReadAsStringAsync())!["content"]!["version"]!.GetValue<string>()}\"");
        await client.GetAsync(id, "data", Known(tag)).Empty(304);
        await client.GetAsync(id, "data", Known("\"x\", " + tag)).Empty(304);
        await client.GetAsync(id, "data", Known("\"other\"")).Json();
        // Reports change the object, and not the configuration.
        await client.BeatAsync(id, new JsonObject { ["status"] = "up", ["hardware"] = new JsonObject { ["hostname"] = "h" } }).Empty(200);
        await client.GetAsync(id, "data", Known(tag)).Empty(304);
        client.Dispose();
    }

    [Fact]
    public async Task A_held_request_ends_at_once_when_a_workload_comes_changes_and_goes()
    {
        var label = world.NewId("label");
        var (id, client) = await world.DeviceAsync(device => device.Metadata.Labels = new Dictionary<string, string> { ["role"] = label });
        var tag = await TagAsync(client, id);
        var name = world.NewId("web");

        var (message, elapsed) = await HeldAsync(client, id, tag, () => world.Kube.CreateAsync(Workload(name, label, "one"), default));
        message["content"]!["workloads"]!.AsArray().Single()!["specification"]!.GetValue<string>().ShouldContain("image: one");
        elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));

        (message, _) = await HeldAsync(client, id, Tag(message), () => world.Kube.MergePatchAsync<EdgeWorkload>(
            new ObjectKey("default", name), JsonNode.Parse("""{"spec":{"pod":{"spec":{"containers":[{"name":"c","image":"two"}]}}}}""")!.AsObject(), default));
        message["content"]!["workloads"]!.AsArray().Single()!["specification"]!.GetValue<string>().ShouldContain("image: two");

        (message, _) = await HeldAsync(client, id, Tag(message), () => world.Kube.DeleteAsync<EdgeWorkload>(new ObjectKey("default", name), default));
        message["content"]!.AsObject().ContainsKey("workloads").ShouldBeFalse();
        client.Dispose();
    }

    [Fact]
    public async Task A_label_of_the_device_ends_a_held_request()
    {
        var label = world.NewId("label");
        var (id, client) = await world.DeviceAsync();
        await world.Kube.CreateAsync(Workload(world.NewId("web"), label, "one"), default);
        var tag = await TagAsync(client, id);
        var (message, _) = await HeldAsync(client, id, tag, () => world.Kube.MergePatchAsync<EdgeDevice>(
            new ObjectKey("default", id), new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["role"] = label } } }, default));
        message["content"]!["workloads"]!.AsArray().Count.ShouldBe(1);
        client.Dispose();
    }

    [Fact]
    public async Task A_secret_and_a_set_end_a_held_request()
    {
        var (set, secret) = (world.NewId("set"), world.NewId("secret"));
        var (id, client) = await world.DeviceAsync(device => device.Metadata.Labels = new Dictionary<string, string> { ["flotta/member-of"] = set });
        await world.Kube.CreateAsync(Workload(world.NewId("web"), null, "one", id, secret), default);
        await Eventually.True(async () => (await client.GetAsync(id, "data", Prefer("wait=0")).Json())["content"]!["workloads"] is JsonArray { Count: 1 });
        var waiting = await client.GetAsync(id, "data", Prefer("wait=0")).Json();
        waiting["content"]!["workloads"]![0]!["hold"]!.GetValue<string>().ShouldBe($"secret {secret} does not exist");
        // Who knows nothing of holds gets nothing, as from the original.
        await client.GetAsync(id, "data").Empty(500);

        var (message, _) = await HeldAsync(client, id, Tag(waiting), () => world.Kube.CreateAsync(Secret(secret, "1"), default));
        message["content"]!["secrets"]![0]!["data"]!.GetValue<string>().ShouldBe("""{"k":"MQ=="}""");
        var elapsed = TimeSpan.Zero;
        (message, elapsed) = await HeldAsync(client, id, Tag(message), () => world.Kube.ReplaceAsync(Secret(secret, "2"), default));
        message["content"]!["secrets"]![0]!["data"]!.GetValue<string>().ShouldBe("""{"k":"Mg=="}""");
        elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));

        (message, _) = await HeldAsync(client, id, Tag(message), () => world.Kube.CreateAsync(
            new EdgeDeviceSet { Metadata = new V1ObjectMeta { Name = set, NamespaceProperty = "default" }, Spec = new EdgeDeviceSetSpec { Heartbeat = new HeartbeatSettings { PeriodSeconds = 7 } } }, default));
        message["content"]!["configuration"]!["heartbeat"]!["period_seconds"]!.GetValue<int>().ShouldBe(7);
        client.Dispose();
    }

    [Fact]
    public async Task A_problem_is_an_event_of_the_device()
    {
        var (id, client) = await world.DeviceAsync();
        await world.Kube.CreateAsync(Workload(world.NewId("web"), null, "one", id, "nowhere"), default);
        await Eventually.True(async () => await client.GetAsync(id, "data").Status() == 500);
        (await world.Kube.ListAsync<Corev1Event>("default", default)).Where(found => found.InvolvedObject.Name == id).ShouldHaveSingleItem().Reason.ShouldBe("Misconfiguration");
        client.Dispose();
    }

    [Fact]
    public async Task A_held_request_ends_with_404_when_the_device_is_deleted()
    {
        var (id, client) = await world.DeviceAsync();
        var held = client.GetAsync(id, "data", Hold(await TagAsync(client, id), 60));
        await Task.Delay(100);
        await world.Kube.DeleteAsync<EdgeDevice>(new ObjectKey("default", id), default);
        await held.Empty(404);
        client.Dispose();
    }

    [Fact]
    public async Task A_held_request_ends_with_404_when_control_has_the_device_go()
    {
        var (id, client) = await world.DeviceAsync(device => device.Metadata.Finalizers = ["test/waits"]);
        var held = client.GetAsync(id, "data", Hold(await TagAsync(client, id), 60));
        await Task.Delay(100);
        await world.Kube.DeleteAsync<EdgeDevice>(new ObjectKey("default", id), default);
        await held.Empty(404);
        (await client.GetAsync(id, "control").Json())["content"]!["command"]!.GetValue<string>().ShouldBe("disconnect");
        // Who does not ask for more than the original's gets what the original says.
        (await client.GetAsync(id, "data").Status()).ShouldBe(200);
        client.Dispose();
    }

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    public async Task A_configuration_of_some_size_is_packed_for_those_of_ours_who_take_it(bool prefers, bool takes, bool packed)
    {
        var (id, client) = await world.DeviceAsync();
        await world.Kube.CreateAsync(Workload(world.NewId("web"), null, new string('i', 2000), id), default);
        await Eventually.True(async () => (await client.GetAsync(id, "data").Json())["content"]!["workloads"] is JsonArray { Count: 1 });
        using var response = await client.GetAsync(id, "data", request =>
        {
            if (prefers)
                request.Headers.TryAddWithoutValidation("Prefer", "wait=0");
            if (takes)
                request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip");
        });
        response.Content.Headers.ContentEncoding.ShouldBe(packed ? ["gzip"] : []);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        if (packed)
        {
            bytes.Length.ShouldBeLessThan(1000);
            using var plain = new MemoryStream();
            await using (var gzip = new System.IO.Compression.GZipStream(new MemoryStream(bytes), System.IO.Compression.CompressionMode.Decompress))
                await gzip.CopyToAsync(plain);
            bytes = plain.ToArray();
        }

        JsonNode.Parse(bytes)!["content"]!["workloads"]!.AsArray().Count.ShouldBe(1);
        client.Dispose();
    }

    [Fact]
    public async Task A_held_request_without_news_ends_with_304_a_little_early()
    {
        var (id, client) = await world.DeviceAsync();
        var tag = await TagAsync(client, id);
        var watch = Stopwatch.StartNew();
        using var response = await client.GetAsync(id, "data", Hold(tag, 2));
        ((int)response.StatusCode).ShouldBe(304);
        response.Headers.GetValues("Preference-Applied").ShouldBe(["wait=2"]);
        watch.Elapsed.TotalSeconds.ShouldBeGreaterThan(1.7);
        client.Dispose();
    }

    [Fact]
    public async Task More_requests_than_make_sense_are_not_held()
    {
        var (id, client) = await world.DeviceAsync();
        var tag = await TagAsync(client, id);
        using var stop = new CancellationTokenSource();
        var held = Enumerable.Range(0, 4).Select(_ => client.GetAsync(id, "data", Hold(tag, 30), stop.Token)).ToList();
        await Task.Delay(200);
        var watch = Stopwatch.StartNew();
        await client.GetAsync(id, "data", Hold(tag, 30)).Empty(304);
        watch.Elapsed.TotalSeconds.ShouldBeLessThan(10);
        await stop.CancelAsync();
        foreach (var one in held)
            await Should.ThrowAsync<OperationCanceledException>(() => one);
        client.Dispose();
    }

    private static Action<HttpRequestMessage> Known(string tag) => request => request.Headers.TryAddWithoutValidation("If-None-Match", tag);

    private static Action<HttpRequestMessage> Prefer(string preference) => request => request.Headers.TryAddWithoutValidation("Prefer", preference);

    private static Action<HttpRequestMessage> Hold(string tag, int seconds) => Known(tag) + Prefer($"wait={seconds}");

    private static async Task<string> TagAsync(EdgeClient client, string id) => Tag(await client.GetAsync(id, "data").Json());

    private static string Tag(JsonNode message) => $"\"{message["content"]!["version"]!.GetValue<string>()}\"";

    private static async Task<(JsonNode Message, TimeSpan Elapsed)> HeldAsync(EdgeClient client, string id, string tag, Func<Task> change)
    {
        var held = client.GetAsync(id, "data", Hold(tag, 60)).Json();
        await Task.Delay(100);
        held.IsCompleted.ShouldBeFalse();
        var watch = Stopwatch.StartNew();
        await change();
        return (await held, watch.Elapsed);
    }

    private static V1Secret Secret(string name, string value) => new()
    {
        ApiVersion = "v1",
        Kind = "Secret",
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "default" },
        Data = new Dictionary<string, byte[]> { ["k"] = System.Text.Encoding.ASCII.GetBytes(value) },
    };

    private static EdgeWorkload Workload(string name, string? role, string image, string? device = null, string? secret = null)
    {
        var variables = secret == null ? "" : $$$""","envFrom":[{"secretRef":{"name":"{{{secret}}}"} }]""";
        return new EdgeWorkload
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "default" },
            Spec = new EdgeWorkloadSpec
            {
                Type = "pod",
                Device = device,
                DeviceSelector = role == null ? null : new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["role"] = role } },
                Pod = new WorkloadPod { Spec = PodSpec.Parse($$"""{"containers":[{"name":"c","image":"{{image}}"{{variables}} }]}""") },
            },
        };
    }
}
