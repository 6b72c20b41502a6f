using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.EdgeApi;
using Flotta.EdgeApi.Certificates;
using Flotta.EdgeApi.Remote;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.EdgeApi.Remote;

/// <summary>control-plane.md 2.8: a real HTTP server on one side, a device on the other.</summary>
public sealed class RemoteBackendTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    private const string Base = "/api/flotta-backend/v1/namespaces/default/devices/";

    [Fact]
    public async Task A_device_is_served_from_behind_the_backend()
    {
        await using var backend = await Backend.StartAsync();
        await using var host = await StartAsync(backend);
        var (id, client, newcomer) = Device(host);
        backend.Answers[$"POST {Base}{id}/enrolment"] = (201, "");
        await newcomer.EnrolAsync(id, new JsonObject { ["features"] = new JsonObject { ["modelName"] = "m" } }).Empty(200);
        JsonNode.Parse(backend.Bodies[$"POST {Base}{id}/enrolment"])!["features"]!["modelName"]!.GetValue<string>().ShouldBe("m");
        backend.Answers[$"POST {Base}{id}/enrolment"] = (200, "");
        await newcomer.EnrolAsync(id).Empty(208);

        // The backend says where it lives.
        backend.Answers[$"GET {Base}{id}/registration"] = (200, """{"status":"unregistered","namespace":"shops"}""");
        var there = Base.Replace("default", "shops", StringComparison.Ordinal);
        backend.Answers[$"PUT {there}{id}/registration"] = (200, "");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var answer = await newcomer.RegisterAsync(id, key).Json();
        using var issued = X509Certificate2.CreateFromPem(answer["content"]!["certificate"]!.GetValue<string>());
        issued.Subject.ShouldBe($"O=flotta-operator, OU=shops, CN={id}");
        JsonNode.Parse(backend.Bodies[$"PUT {there}{id}/registration"])!["hardware"]!["hostname"]!.GetValue<string>().ShouldBe("Host One");

        backend.Answers[$"GET {Base}{id}/configuration"] = (200, """{"message":"fine","device-configuration":{"device_id":"d","version":"7","configuration":{"mounts":[]}}}""");
        using var response = await client.GetAsync(id, "data");
        var configuration = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        configuration["directive"]!.GetValue<string>().ShouldBe("device");
        configuration["content"]!.ToJsonString().ShouldBe("""{"device_id":"d","version":"7","configuration":{"mounts":[]}}""");
        await client.GetAsync(id, "data", request => request.Headers.TryAddWithoutValidation("If-None-Match", response.Headers.ETag!.Tag)).Empty(304);

        backend.Answers[$"PUT {Base}{id}/heartbeat"] = (200, "");
        await client.BeatAsync(id, new JsonObject { ["status"] = "up" }).Empty(200);
        JsonNode.Parse(backend.Bodies[$"PUT {Base}{id}/heartbeat"])!["status"]!.GetValue<string>().ShouldBe("up");
        backend.Answers[$"GET {Base}{id}/playbookexecutions"] = (200, """[{"name":"p","ansible_playbook_string":"- hosts: all"}]""");
        (await client.SendAsync(id, "ansible", null).Json())["content"]!.GetValue<string>().ShouldContain("- hosts: all");

        backend.Answers[$"GET {Base}{id}/registration"] = (200, """{"status":"registered"}""");
        await client.GetAsync(id, "control").Empty(200);
        backend.Answers[$"GET {Base}{id}/registration"] = (200, """{"status":"unregistered"}""");
        (await client.GetAsync(id, "control").Json())["content"]!["command"]!.GetValue<string>().ShouldBe("disconnect");
        backend.Answers[$"GET {Base}{id}/registration"] = (200, """{"status":"unknown"}""");
        await client.GetAsync(id, "control").Empty(404);
        await newcomer.RegisterAsync(id, key).Empty(404);
    }

    [Fact]
    public async Task What_the_backend_fails_to_say_is_500_and_400_for_an_enrolment()
    {
        await using var backend = await Backend.StartAsync();
        await using var host = await StartAsync(backend);
        var (id, client, newcomer) = Device(host);
        backend.Fallback = (500, """{"message":"broken"}""");
        await newcomer.EnrolAsync(id).Empty(400);
        backend.Asked.Count(asked => asked.StartsWith("POST", StringComparison.Ordinal)).ShouldBe(1);
        await client.GetAsync(id, "data").Empty(500);
        await client.GetAsync(id, "control").Empty(500);
        await client.BeatAsync(id, []).Empty(500);
        backend.Asked.Count(asked => asked.StartsWith("PUT", StringComparison.Ordinal)).ShouldBe(4);
        await client.SendAsync(id, "ansible", null).Empty(500);
        using var key = ECDsa.Create();
        await newcomer.RegisterAsync(id, key).Empty(500);
        foreach (var nonsense in new[] { "", "<html>", "[]", """{"device-configuration":7}""", """{"device-configuration":{"workloads":[null]}}""", new string('[', 500) })
        {
            backend.Fallback = (200, nonsense);
            await client.GetAsync(id, "data").Empty(500);
        }

        backend.Fallback = (302, "");
        await client.GetAsync(id, "control").Empty(500);
    }

    [Fact]
    public async Task A_heartbeat_is_tried_again()
    {
        await using var backend = await Backend.StartAsync();
        await using var host = await StartAsync(backend);
        var (id, client, _) = Device(host);
        backend.FailFirst = 3;
        await client.BeatAsync(id, new JsonObject { ["status"] = "up" }).Empty(200);
        backend.Asked.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_backend_that_does_not_answer_is_given_up()
    {
        await using var backend = await Backend.StartAsync();
        await using var host = await StartAsync(backend, TimeSpan.FromMilliseconds(150));
        var (id, client, newcomer) = Device(host);
        backend.IsHanging = true;
        await newcomer.EnrolAsync(id).Empty(400);
        await client.GetAsync(id, "control").Empty(500);
    }

    [Fact]
    public async Task The_same_rules_hold_for_who_may_ask()
    {
        await using var backend = await Backend.StartAsync();
        await using var host = await StartAsync(backend);
        var (id, client, newcomer) = Device(host);
        var (other, _, _) = Device(host);
        await client.GetAsync(other, "data").Empty(403);
        await client.BeatAsync(other, []).Empty(403);
        await client.EnrolAsync(other).Empty(403);
        using var key = ECDsa.Create();
        await client.RegisterAsync(other, key).Empty(403);
        await newcomer.GetAsync(id, "data").Empty(401);
        await newcomer.BeatAsync(id, []).Empty(403);
        await newcomer.EnrolAsync("Bad_Name").Empty(400);
        await newcomer.EnrolAsync(id, new JsonObject { ["target_namespace"] = "../../x" }).Empty(400);
        await client.SendAsync(id, "whatever", null).Empty(400);
        backend.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task Over_https_both_sides_may_have_certificates_of_our_authority()
    {
        using var key = KeyPem.Like(world.Authority.Ca);
        using var certificate = Issue.Server(world.Authority.Ca, key, "backend.example.org", [IPAddress.Loopback], Issue.RandomSerial(), world.Time.GetUtcNow());
        await using var backend = await Backend.StartAsync(certificate);
        await using var host = await StartAsync(backend);
        var (id, client, _) = Device(host);
        backend.Fallback = (200, """{"status":"registered"}""");
        await client.GetAsync(id, "control").Empty(200);
        backend.Shown.ShouldContain("O=flotta-operator, CN=*");

        // One of another authority is not ours to trust.
        using var stranger = new CertificateRequest("CN=127.0.0.1", ECDsa.Create(), HashAlgorithmName.SHA256).CreateSelfSigned(world.Time.GetUtcNow().AddDays(-1), world.Time.GetUtcNow().AddDays(1));
        await using var impostor = await Backend.StartAsync(stranger);
        await using var careful = await StartAsync(impostor);
        var (second, other, _) = Device(careful);
        await other.GetAsync(second, "control").Empty(500);
        impostor.Asked.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("5s", 5.0)]
    [InlineData("1m30s", 90.0)]
    [InlineData("1.5h", 5400.0)]
    [InlineData("250ms", 0.25)]
    [InlineData("", null)]
    [InlineData("5", null)]
    [InlineData("s", null)]
    [InlineData("-5s", null)]
    [InlineData("1e9h", null)]
    public void Durations_are_read_as_Go_writes_them(string text, double? seconds) => GoDuration.Parse(text)?.TotalSeconds.ShouldBe(seconds!.Value);

    [Fact]
    public void The_settings_are_the_originals_and_mistakes_are_named()
    {
        Read("http://backend:8080/x", "").Address.ShouldBe(new Uri("http://backend:8080/x/"));
        Read("http://backend", "10s").Timeout.ShouldBe(TimeSpan.FromSeconds(10));
        Should.Throw<FormatException>(() => Read("", "")).Message.ShouldContain("REMOTE_BACKEND_URL");
        Should.Throw<FormatException>(() => Read("ftp://x", "")).Message.ShouldContain("REMOTE_BACKEND_URL");
        Should.Throw<FormatException>(() => Read("http://x", "soon")).Message.ShouldContain("REMOTE_BACKEND_TIMEOUT");

        static RemoteOptions Read(string address, string timeout) => EdgeApiOptions
            .FromEnvironment(name => name switch { "BACKEND" => "remote", "REMOTE_BACKEND_URL" => address, "REMOTE_BACKEND_TIMEOUT" => timeout, _ => null }).Remote!;
    }

    private Task<EdgeApiHost> StartAsync(Backend backend, TimeSpan? timeout = null) => EdgeApiHost.StartAsync(
        new EdgeApiOptions { Listen = IPAddress.Loopback, Port = 0, Replica = "remote", Remote = new RemoteOptions(new Uri(backend.Address + "/"), timeout ?? TimeSpan.FromSeconds(5)) },
        world.Configuration,
        NullLoggerFactory.Instance,
        world.Time,
        CancellationToken.None);

    private (string Id, EdgeClient Client, EdgeClient Newcomer) Device(EdgeApiHost host)
    {
        var id = world.NewId();
        return (id, new EdgeClient(host.Address, world.Bootstrap.CaPem, world.CertificateFor(id).Certificate),
            new EdgeClient(host.Address, world.Bootstrap.CaPem, X509Certificate2.CreateFromPem(world.Bootstrap.CertificatePem, world.Bootstrap.KeyPem)));
    }

    private sealed class Backend : IAsyncDisposable
    {
        private readonly WebApplication server;

        private Backend(WebApplication server) => this.server = server;

        public ConcurrentDictionary<string, (int Status, string Body)> Answers { get; } = new();

        public ConcurrentDictionary<string, string> Bodies { get; } = new();

        public ConcurrentQueue<string> Asked { get; } = new();

        public ConcurrentQueue<string> Shown { get; } = new();

        public (int Status, string Body) Fallback { get; set; } = (404, "{}");

        public int FailFirst { get; set; }

        public bool IsHanging { get; set; }

        public string Address => server.Urls.First();

        public static async Task<Backend> StartAsync(X509Certificate2? certificate = null)
        {
            var builder = WebApplication.CreateEmptyBuilder(new());
            builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                if (certificate != null)
                {
                    listen.UseHttps(new HttpsConnectionAdapterOptions
                    {
                        ServerCertificate = certificate, ClientCertificateMode = ClientCertificateMode.RequireCertificate, ClientCertificateValidation = (_, _, _) => true,
                    });
                }
            }));
            var backend = new Backend(builder.Build());
            backend.server.Run(backend.AnswerAsync);
            await backend.server.StartAsync();
            return backend;
        }

        public ValueTask DisposeAsync() => server.DisposeAsync();

        private async Task AnswerAsync(HttpContext http)
        {
            var what = $"{http.Request.Method} {http.Request.Path}";
            Asked.Enqueue(what);
            if (http.Connection.ClientCertificate is { } shown)
                Shown.Enqueue(shown.Subject);
            using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
            Bodies[what] = await reader.ReadToEndAsync();
            if (IsHanging)
                await Task.Delay(Timeout.InfiniteTimeSpan, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var (status, body) = FailFirst > 0 ? (503, "") : Answers.TryGetValue(what, out var answer) ? answer : Fallback;
            if (FailFirst > 0 && --FailFirst == 0)
                Fallback = (200, "");
            http.Response.StatusCode = status;
            await http.Response.WriteAsync(body);
        }
    }
}
