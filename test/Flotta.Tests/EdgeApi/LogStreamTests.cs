using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.EdgeApi;
using Flotta.EdgeApi.LogStreams;
using Flotta.Kube;
using Flotta.Resources;
using Flotta.Wire;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.EdgeApi;

/// <summary><c>flotta logs</c> between a person, one or two replicas and a device, which here is a client of the tests.</summary>
public sealed class LogStreamTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    private static readonly LogArguments Hello = new("", "hello", "web", TimeSpan.FromMinutes(10), 5, Follow: true);

    [Fact]
    public async Task A_person_reads_what_the_device_sends_and_leaving_ends_it_on_the_device()
    {
        var (id, client) = await world.DeviceAsync();
        var token = await TokenAsync("reader", "flotta-view");
        using var person = Person(world.Host);
        await WaitingAsync(client, id, out var held);
        using var leave = new CancellationTokenSource();
        var asking = person.AskAsync(new ObjectKey("default", id), Hello, token, leave.Token);
        var command = await CommandAsync(held);
        command["workload"]!.GetValue<string>().ShouldBe("hello");
        command["container"]!.GetValue<string>().ShouldBe("web");
        command["since"]!.GetValue<string>().ShouldBe("600");
        command["tail"]!.GetValue<string>().ShouldBe("5");
        command["follow"]!.GetValue<string>().ShouldBe("true");

        using var body = new FollowedContent();
        var sending = client.Http.SendAsync(Post(id, command["stream"]!.GetValue<string>(), body));
        await body.WriteAsync("""{"container":"web","time":"2026-11-29T00:00:00Z","line":"one"}""" + "\n");
        var answer = await asking;
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        (await lines.ReadLineAsync()).ShouldBe("""{"container":"web","time":"2026-11-29T00:00:00Z","line":"one"}""");
        await body.WriteAsync("""{"line":"two"}""" + "\n");
        (await lines.ReadLineAsync()).ShouldBe("""{"line":"two"}""");
        sending.IsCompleted.ShouldBeFalse();

        answer.Dispose();
        using var ended = await sending.WaitAsync(TimeSpan.FromSeconds(20));
        ended.StatusCode.ShouldBe(HttpStatusCode.OK);
        // A place is free again, also the third time.
        await client.Http.SendAsync(Post(id, command["stream"]!.GetValue<string>(), new StringContent("late"))).Json(404);
        client.Dispose();
    }

    [Fact]
    public async Task A_device_that_is_through_ends_the_answer()
    {
        var (id, client) = await world.DeviceAsync();
        var token = await TokenAsync("through", "flotta-view");
        using var person = Person(world.Host);
        await WaitingAsync(client, id, out var held);
        var asking = person.AskAsync(new ObjectKey("default", id), Hello, token, default);
        var command = await CommandAsync(held);
        (await client.Http.SendAsync(Post(id, command["stream"]!.GetValue<string>(), new StringContent("{\"line\":\"all\"}\n"))).Status()).ShouldBe(200);
        using var answer = await asking;
        (await answer.Content.ReadAsStringAsync()).ShouldBe("{\"line\":\"all\"}\n");
        client.Dispose();
    }

    [Fact]
    public async Task Who_may_not_look_is_told_so_and_the_device_hears_nothing()
    {
        var (id, client) = await world.DeviceAsync();
        using var person = Person(world.Host);
        await WaitingAsync(client, id, out var held);
        var key = new ObjectKey("default", id);
        (await ProblemAsync(person, key, "no-such-token")).ShouldBe((401, "the Kubernetes API does not accept this token"));
        (await ProblemAsync(person, key, await TokenAsync("nobody", null))).ShouldSatisfyAllConditions(
            refused => refused.Status.ShouldBe(403),
            refused => refused.Message.ShouldContain("cannot get resource \"edgedevices/logs\""));
        // Rights in one namespace are none in another.
        (await ProblemAsync(person, new ObjectKey("edge", id), await TokenAsync("reader-here", "flotta-view"))).Status.ShouldBe(403);
        held.IsCompleted.ShouldBeFalse();
        client.Dispose();
    }

    [Fact]
    public async Task What_cannot_be_looked_at_says_why()
    {
        var (id, client) = await world.DeviceAsync();
        var token = await TokenAsync("why", "flotta-view");
        using var person = Person(world.Host);
        (await ProblemAsync(person, new ObjectKey("default", "no-such-device"), token)).ShouldBe((404, "there is no EdgeDevice no-such-device in the namespace default"));
        // It has asked for its configuration, as the original does.
        await client.GetAsync(id, "data").Json();
        (await ProblemAsync(person, new ObjectKey("default", id), token)).Status.ShouldBe(501);
        await world.Kube.CreateAsync(new EdgeDevice { Metadata = new() { Name = id + "-never", NamespaceProperty = "default" } }, default);
        await Eventually.True(async () => (await ProblemAsync(person, new ObjectKey("default", id + "-never"), token)).Message.EndsWith("is not connected", StringComparison.Ordinal));
        client.Dispose();
    }

    [Fact]
    public async Task A_device_is_looked_at_twice_at_one_time_and_not_more()
    {
        var (id, client) = await world.DeviceAsync();
        var token = await TokenAsync("many", "flotta-view");
        using var person = Person(world.Host);
        using var leave = new CancellationTokenSource();
        await WaitingAsync(client, id, out var held);
        var key = new ObjectKey("default", id);
        var first = person.AskAsync(key, Hello, token, leave.Token);
        await CommandAsync(held);
        await WaitingAsync(client, id, out held);
        var second = person.AskAsync(key, Hello, token, leave.Token);
        await CommandAsync(held);
        (await ProblemAsync(person, key, token)).Status.ShouldBe(429);
        // Ended before the device came.
        await leave.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(first);
        await Should.ThrowAsync<OperationCanceledException>(second);
        await WaitingAsync(client, id, out held);
        await Eventually.True(async () =>
        {
            using var again = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
            try
            {
                return (await ProblemAsync(person, key, token, again.Token)).Status != 429;
            }
            catch (OperationCanceledException)
            {
                return true;
            }
        });
        client.Dispose();
    }

    [Fact]
    public async Task One_device_cannot_send_for_another()
    {
        var (id, client) = await world.DeviceAsync();
        var (other, stranger) = await world.DeviceAsync();
        var token = await TokenAsync("strangers", "flotta-view");
        using var person = Person(world.Host);
        using var leave = new CancellationTokenSource();
        await WaitingAsync(client, id, out var held);
        var asking = person.AskAsync(new ObjectKey("default", id), Hello, token, leave.Token);
        var stream = (await CommandAsync(held))["stream"]!.GetValue<string>();
        (await stranger.Http.SendAsync(Post(other, stream, new StringContent("mine"))).Status()).ShouldBe(404);
        (await stranger.Http.SendAsync(Post(id, stream, new StringContent("mine"))).Status()).ShouldBe(403);
        asking.IsCompleted.ShouldBeFalse();
        await leave.CancelAsync();
        client.Dispose();
        stranger.Dispose();
    }

    [Fact]
    public async Task Any_replica_can_be_asked()
    {
        await using var one = await StartAsync("logs-one");
        await using var two = await StartAsync("logs-two");
        var id = world.NewId();
        var (certificate, serial) = world.CertificateFor(id);
        await world.Kube.CreateAsync(new EdgeDevice { Metadata = new() { Name = id, NamespaceProperty = "default" } }, default);
        await world.RecordAsync(id, new CertificateStatus { Serial = serial, Confirmed = true, NotAfter = world.Time.GetUtcNow().AddDays(30) });
        using var client = new EdgeClient(two.Address, world.Bootstrap.CaPem, certificate);
        await Eventually.True(async () => await client.BeatAsync(id, new JsonObject { ["status"] = "up" }).Status() == 200);
        await Eventually.True(async () => (await world.FindAsync(id))!.Status?.ConnectedTo == "logs-two");
        var token = await TokenAsync("anywhere", "flotta-view");
        using var person = Person(one);
        HttpResponseMessage? answer = null;
        await WaitingAsync(client, id, out var held);
        await Eventually.True(async () =>
        {
            var asking = person.AskAsync(new ObjectKey("default", id), Hello, token, default);
            if (await Task.WhenAny(held, asking) == asking)
            {
                // The first replica has not heard yet who has the device.
                using var early = await asking;
                return false;
            }

            var command = await CommandAsync(held);
            (await client.Http.SendAsync(Post(id, command["stream"]!.GetValue<string>(), new StringContent("{\"line\":\"far\"}\n"))).Status()).ShouldBe(200);
            answer = await asking;
            return true;
        });
        answer!.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsStringAsync()).ShouldBe("{\"line\":\"far\"}\n");
        answer.Dispose();
        // The refusals of the replica that has the device are the person's too.
        (await ProblemAsync(person, new ObjectKey("default", id), await TokenAsync("anywhere-not", null))).Status.ShouldBe(403);
    }

    private static Task WaitingAsync(EdgeClient client, string id, out Task<HttpResponseMessage> held)
    {
        held = Task.Run(async () =>
        {
            using var first = await client.GetAsync(id, "data");
            var tag = first.Headers.ETag!.Tag;
            return await client.GetAsync(id, "data", request =>
            {
                request.Headers.TryAddWithoutValidation("Prefer", "wait=60, commands");
                request.Headers.TryAddWithoutValidation("If-None-Match", tag);
            });
        });
        // The server cannot say that it holds a request; what comes before is asked for again by who asks.
        return Task.Delay(300);
    }

    private static async Task<JsonNode> CommandAsync(Task<HttpResponseMessage> held)
    {
        using var response = await held.WaitAsync(TimeSpan.FromSeconds(20));
        response.Headers.ETag.ShouldBeNull();
        var message = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        message["type"]!.GetValue<string>().ShouldBe("command");
        message["content"]!["command"]!.GetValue<string>().ShouldBe("logs");
        return message["content"]!["arguments"]!;
    }

    private static HttpRequestMessage Post(string id, string stream, HttpContent content) =>
        new(HttpMethod.Post, $"/api/flotta-management/v1/logs/{id}/{stream}") { Content = content, Version = HttpVersion.Version20 };

    private LogsClient Person(EdgeApiHost host) => new(host.Address, [world.Authority.Ca], "project-flotta.io");

    private static async Task<(int Status, string Message)> ProblemAsync(LogsClient person, ObjectKey device, string token, CancellationToken cancellationToken = default)
    {
        using var answer = await person.AskAsync(device, Hello, token, cancellationToken);
        var body = await answer.Content.ReadAsStringAsync(cancellationToken);
        body.ShouldNotBeEmpty($"status {(int)answer.StatusCode}");
        return ((int)answer.StatusCode, JsonNode.Parse(body)!["message"]!.GetValue<string>());
    }

    /// <summary>A service account of the namespace default, with a role there or without.</summary>
    private async Task<string> TokenAsync(string name, string? role)
    {
        var key = new ObjectKey("default", name);
        await world.Kube.ApplyAsync<V1ServiceAccount>(key, $"{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {name}, namespace: default}}}}", "test", default);
        if (role is not null)
        {
            await world.Kube.ApplyAsync<V1RoleBinding>(
                key,
                $$"""
                apiVersion: rbac.authorization.k8s.io/v1
                kind: RoleBinding
                metadata: { name: {{name}}, namespace: default }
                roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{role}} }
                subjects: [{ kind: ServiceAccount, name: {{name}}, namespace: default }]
                """,
                "test",
                default);
        }

        return (await world.Kube.TokenAsync(key, TimeSpan.FromHours(1), default)).Status.Token;
    }

    private Task<EdgeApiHost> StartAsync(string replica) => EdgeApiHost.StartAsync(
        new EdgeApiOptions { Listen = IPAddress.Loopback, Port = 0, Replica = replica }, world.Configuration, NullLoggerFactory.Instance, world.Time, CancellationToken.None);

    /// <summary>A body that the test writes while it is sent.</summary>
    private sealed class FollowedContent : HttpContent
    {
        private readonly TaskCompletionSource<Stream> open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task WriteAsync(string text)
        {
            var stream = await open.Task.WaitAsync(TimeSpan.FromSeconds(20));
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text));
            await stream.FlushAsync();
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            open.SetResult(stream);
            await Task.Delay(TimeSpan.FromMinutes(1));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
