using System.Net;
using System.Text;
using Flotta.Resources;

namespace Flotta.Tests.EdgeApi;

/// <summary>A device that holds a request is there, and need not say so again and again.</summary>
public sealed class QuietTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    private const string Beat = """{"type":"data","message_id":"m","version":1,"sent":"2026-11-22T13:16:56.172548526Z","directive":"heartbeat","content":{"status":"up","version":"v"}}""";

    [Theory]
    [InlineData(null, 60, null)]
    [InlineData("quiet=1800", 60, "quiet=1800")]
    [InlineData("quiet=1800", 59, null)]
    [InlineData("quiet=99999999", 600, "quiet=86400")]
    [InlineData("quiet=0", 60, null)]
    [InlineData("quiet=soon", 60, null)]
    [InlineData("wait=20", 60, null)]
    public async Task Quiet_is_granted_to_those_who_ask_and_whose_period_is_a_minute_or_more(string? prefer, int period, string? granted)
    {
        var (id, client) = await world.DeviceAsync(spec: spec => spec with { Heartbeat = new HeartbeatSettings { PeriodSeconds = period } });
        // The second is answered without being read.
        for (var beat = 0; beat < 2; beat++)
        {
            using var response = await BeatAsync(client, id, prefer);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            (response.Headers.TryGetValues("Preference-Applied", out var applied) ? applied.Single() : null).ShouldBe(granted);
        }

        client.Dispose();
    }

    [Fact]
    public async Task A_quiet_device_is_silent_only_when_it_has_not_held_a_request_for_a_period()
    {
        var (id, client) = await world.DeviceAsync();
        (await BeatAsync(client, id, "quiet=1800")).Dispose();
        await Eventually.True(async () => await ConnectedAsync(id) == "True");
        var tag = (await client.GetAsync(id, "data").Json())["content"]!["version"]!.GetValue<string>();
        using var stop = new CancellationTokenSource();
        var held = client.WaitAsync(id, tag, stop.Token);
        var (other, chatty) = await world.DeviceAsync();
        (await BeatAsync(chatty, other, null)).Dispose();
        await Eventually.True(async () => await ConnectedAsync(other) == "True");

        // The one that holds nothing shows when silence has been looked for.
        world.Time.Passed += TimeSpan.FromMinutes(4);
        await Eventually.True(async () => await ConnectedAsync(other) == "False");
        (await ConnectedAsync(id)).ShouldBe("True");

        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => held);
        // The server hears of it when it does; from then on a period counts.
        await Eventually.True(async () =>
        {
            world.Time.Passed += TimeSpan.FromMinutes(1);
            return await ConnectedAsync(id) == "False";
        });
        client.Dispose();
        chatty.Dispose();
    }

    private static Task<HttpResponseMessage> BeatAsync(EdgeClient client, string id, string? prefer) => client.PostAsync(id, "data", Encoding.UTF8.GetBytes(Beat), prefer: prefer);

    private async Task<string?> ConnectedAsync(string id) => (await world.FindAsync(id))!.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "Connected")?.Status;
}
