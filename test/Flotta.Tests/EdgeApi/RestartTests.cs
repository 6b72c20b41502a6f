using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Flotta.EdgeApi;
using Flotta.Resources;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.EdgeApi;

/// <summary>Starting, stopping, and what the limits do. A world of its own: other tests would notice.</summary>
public sealed class RestartTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    [Fact]
    public async Task After_a_restart_everything_is_as_it_was()
    {
        var (id, client) = await world.DeviceAsync();
        var before = await client.GetAsync(id, "data").Json();
        var bootstrap = world.Bootstrap;
        await world.StartAsync(new EdgeApiOptions());
        world.Bootstrap.ShouldBe(bootstrap);
        // The port is another one; the device and its certificate are the same.
        using var after = new EdgeClient(world.Host.Address, bootstrap.CaPem, await CertificateAsync(id));
        (await after.GetAsync(id, "data").Json())["content"]!.ToJsonString().ShouldBe(before["content"]!.ToJsonString());
        client.Dispose();
    }

    [Fact]
    public async Task A_device_that_does_not_come_back_after_a_restart_is_told_silent()
    {
        var (id, client) = await world.DeviceAsync(spec: spec => spec with { Heartbeat = new HeartbeatSettings { PeriodSeconds = 1 } });
        await client.BeatAsync(id, new JsonObject { ["status"] = "up" }).Empty(200);
        client.Dispose();
        await world.StartAsync(new EdgeApiOptions());
        await Eventually.True(async () => Conditions.Find((await world.FindAsync(id))!.Status!.Conditions, "Connected")?.Status == "False");
    }

    [Fact]
    public async Task Stopping_ends_held_requests_with_304()
    {
        var (id, client) = await world.DeviceAsync();
        var tag = (await client.GetAsync(id, "data").Json())["content"]!["version"]!.GetValue<string>();
        var held = client.GetAsync(id, "data", request =>
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", $"\"{tag}\"");
            request.Headers.TryAddWithoutValidation("Prefer", "wait=60");
        });
        await Task.Delay(200);
        await world.StartAsync(new EdgeApiOptions());
        await held.Empty(304);
        client.Dispose();
    }

    [Fact]
    public async Task A_device_that_asks_too_much_is_told_to_come_back_and_others_are_not()
    {
        await world.StartAsync(new EdgeApiOptions { RequestsPerSecond = 1 });
        var (id, client) = await world.DeviceAsync();
        var (other, quiet) = await world.DeviceAsync();
        HttpResponseMessage? refused = null;
        for (var request = 0; request < 30 && refused == null; request++)
        {
            var response = await client.GetAsync(id, "control");
            refused = response.StatusCode == HttpStatusCode.TooManyRequests ? response : null;
        }

        refused.ShouldNotBeNull().Headers.RetryAfter.ShouldNotBeNull();
        await quiet.GetAsync(other, "control").Empty(200);
        await world.StartAsync(new EdgeApiOptions());
        client.Dispose();
        quiet.Dispose();
    }

    [Fact]
    public async Task When_too_much_waits_to_be_written_a_change_is_503_and_an_unchanged_heartbeat_is_fine()
    {
        var (id, client) = await world.DeviceAsync();
        await client.BeatAsync(id, new JsonObject { ["status"] = "up" }).Empty(200);
        await world.StartAsync(new EdgeApiOptions { MaxPendingWrites = 0 });
        using var after = new EdgeClient(world.Host.Address, world.Bootstrap.CaPem, await CertificateAsync(id));
        await after.BeatAsync(id, new JsonObject { ["status"] = "up" }).Empty(200);
        using var response = await after.BeatAsync(id, new JsonObject { ["status"] = "degraded" });
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        response.Headers.RetryAfter.ShouldNotBeNull();
        await world.StartAsync(new EdgeApiOptions());
        client.Dispose();
    }

    [Fact]
    public async Task There_is_an_end_to_what_the_bootstrap_certificate_can_pile_up()
    {
        await world.StartAsync(new EdgeApiOptions { MaxEnrolmentRequests = 0 });
        using var newcomer = world.AsNewcomer();
        (await newcomer.EnrolAsync(world.NewId()).Status()).ShouldBe(503);
        await world.StartAsync(new EdgeApiOptions());
    }

    [Fact]
    public async Task Connections_that_never_finish_their_handshake_do_not_keep_devices_out()
    {
        await world.StartAsync(new EdgeApiOptions { MaxHandshakes = 2 });
        var idle = new List<TcpClient>();
        for (var connection = 0; connection < 4; connection++)
        {
            var socket = new TcpClient();
            await socket.ConnectAsync(world.Host.Address.Host, world.Host.Address.Port);
            idle.Add(socket);
        }

        using var newcomer = world.AsNewcomer();
        await newcomer.EnrolAsync(world.NewId()).Empty(200);
        idle.ForEach(socket => socket.Dispose());
        await world.StartAsync(new EdgeApiOptions());
    }

    [Fact]
    public async Task A_port_that_is_taken_is_one_clear_sentence()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var refusal = await Should.ThrowAsync<EdgeApiStartException>(() => EdgeApiHost.StartAsync(
            new EdgeApiOptions { Listen = IPAddress.Loopback, Port = port, Replica = "second" }, world.Configuration, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None));
        refusal.Message.ShouldStartWith($"The Edge API cannot listen on 127.0.0.1:{port}");
    }

    [Fact]
    public async Task An_API_server_that_is_not_there_is_one_clear_sentence()
    {
        var nowhere = new k8s.KubernetesClientConfiguration { Host = "http://127.0.0.1:1" };
        var refusal = await Should.ThrowAsync<EdgeApiStartException>(() =>
            EdgeApiHost.StartAsync(new EdgeApiOptions { Listen = IPAddress.Loopback, Port = 0 }, nowhere, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None));
        refusal.Message.ShouldStartWith("The Edge API cannot start: the API server at http://127.0.0.1:1 said:");
    }

    private async Task<System.Security.Cryptography.X509Certificates.X509Certificate2> CertificateAsync(string id)
    {
        var (certificate, serial) = world.CertificateFor(id);
        await world.RecordAsync(id, new CertificateStatus { Serial = serial, Confirmed = true });
        return certificate;
    }
}
