using System.Net;
using System.Text.Json.Nodes;
using Flotta.EdgeApi;
using Flotta.Operator;
using Flotta.Resources;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.EdgeApi;

/// <summary>Several replicas of the Edge API on one API server, and a clock of their own.</summary>
public sealed class ReplicaTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    [Fact]
    public async Task A_device_that_moves_to_another_replica_is_connected_throughout()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var one = await StartAsync("moved-one", time);
        await using var two = await StartAsync("moved-two", time);
        var (id, first, second) = await DeviceAsync(one, two);
        await BeatAsync(first, id);
        await UntilAsync(id, time, status => status is { ConnectedTo: "moved-one" } && Connected(status) == "True");
        var since = (await StatusAsync(id)).Conditions!.Single(condition => condition.Type == "Connected").LastTransitionTime;

        await BeatAsync(second, id);
        await UntilAsync(id, time, status => status.ConnectedTo == "moved-two");
        // For as long as the first one would need to miss it.
        for (var step = 0; step < 25; step++)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            await BeatAsync(second, id);
            await Task.Delay(20);
        }

        var status = await StatusAsync(id);
        Connected(status).ShouldBe("True");
        status.Conditions!.Single(condition => condition.Type == "Connected").LastTransitionTime.ShouldBe(since);
        status.ConnectedTo.ShouldBe("moved-two");
    }

    [Fact]
    public async Task A_replica_that_is_asked_to_stop_is_not_ready_any_more_but_serves_until_nobody_is_sent_to_it()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var one = await StartAsync("drained-one", time, drain: TimeSpan.FromSeconds(5));
        await using var two = await StartAsync("drained-two", time);
        var (id, first, _) = await DeviceAsync(one, two);
        one.IsReady.ShouldBeTrue();
        var drained = one.DrainAsync();
        one.NotReadyBecause.ShouldBe("stopping");
        await BeatAsync(first, id);
        time.Advance(TimeSpan.FromSeconds(4));
        drained.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(1));
        await drained;
    }

    [Fact]
    public async Task A_device_that_talks_to_two_replicas_stays_connected_when_it_leaves_the_one_that_is_written_down()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var one = await StartAsync("both-one", time);
        await using var two = await StartAsync("both-two", time);
        var (id, first, second) = await DeviceAsync(one, two);
        await BeatAsync(first, id);
        await UntilAsync(id, time, status => status.ConnectedTo == "both-one");
        await BeatAsync(second, id);
        await UntilAsync(id, time, status => status.ConnectedTo == "both-two");
        // From here on only the first hears of it; the second says that it is silent, and is corrected.
        for (var step = 0; step < 25; step++)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            (await first.GetAsync(id, "control").Status()).ShouldBe(200);
            await Task.Delay(20);
        }

        await UntilAsync(id, time, status => status.ConnectedTo == "both-one" && Connected(status) == "True");
    }

    [Fact]
    public async Task A_device_whose_request_is_held_by_another_replica_now_is_there_though_it_says_nothing_to_it()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var one = await StartAsync("held-one", time);
        await using var two = await StartAsync("held-two", time);
        var (id, first, second) = await DeviceAsync(one, two);
        var (other, _, otherSecond) = await DeviceAsync(one, two);
        await Eventually.True(async () => await first.SendAsync(id, "heartbeat", new JsonObject { ["status"] = "up" }, prefer: "quiet=1800").Status() == 200);
        await UntilAsync(id, time, status => status.ConnectedTo == "held-one");
        await one.DisposeAsync();

        var tag = (await second.GetAsync(id, "data").Json())["content"]!["version"]!.GetValue<string>();
        using var stop = new CancellationTokenSource();
        var held = second.WaitAsync(id, tag, stop.Token);
        await UntilAsync(id, time, status => status.ConnectedTo == "held-two");
        await BeatAsync(otherSecond, other);
        await UntilAsync(other, time, status => Connected(status) == "True");

        // The one that holds nothing shows when silence has been looked for.
        await UntilAsync(other, time, status => Connected(status) == "False", TimeSpan.FromSeconds(2));
        Connected(await StatusAsync(id)).ShouldBe("True");
        held.IsCompleted.ShouldBeFalse();
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => held);
    }

    [Fact]
    public async Task The_devices_of_a_dead_replica_are_unknown_until_they_turn_to_another()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var theOperator = await OperatorHost.StartAsync(new OperatorOptions(), world.Configuration, NullLoggerFactory.Instance, time, CancellationToken.None);
        var dying = await StartAsync("dying", time);
        await using var living = await StartAsync("living", time);
        var (id, first, second) = await DeviceAsync(dying, living);
        var (other, otherFirst, otherSecond) = await DeviceAsync(dying, living);
        await BeatAsync(first, id);
        await BeatAsync(otherFirst, other);
        await UntilAsync(id, time, status => status.ConnectedTo == "dying");
        await UntilAsync(other, time, status => status.ConnectedTo == "dying");
        await dying.DisposeAsync();
        await BeatAsync(otherSecond, other);
        await UntilAsync(id, time, status => Connected(status) == "Unknown", TimeSpan.FromSeconds(1));
        (await StatusAsync(other)).ConnectedTo.ShouldBe("living");
        Connected(await StatusAsync(other)).ShouldBe("True");
        await BeatAsync(second, id);
        await UntilAsync(id, time, status => status.ConnectedTo == "living" && Connected(status) == "True");
    }

    [Fact]
    public async Task An_event_whose_answer_was_lost_counts_once_also_when_another_replica_hears_it_again()
    {
        await using var one = await StartAsync("told-one", world.Time);
        await using var two = await StartAsync("told-two", world.Time);
        var (id, first, second) = await DeviceAsync(one, two);
        await BeatAsync(first, id);
        await BeatAsync(second, id);
        var content = () => new JsonObject
        {
            ["status"] = "up",
            ["events"] = new JsonArray(new JsonObject { ["reason"] = "Failed", ["message"] = "no image", ["type"] = "warn" }),
        };
        await first.SendAsync(id, "heartbeat", content(), "lost").Empty(200);
        await second.SendAsync(id, "heartbeat", content(), "lost").Empty(200);
        await first.SendAsync(id, "heartbeat", content(), "lost").Empty(200);
        (await CountAsync()).ShouldBe(1);
        // What happens again is said in another message, and the first replica does not know of the second's count.
        await second.SendAsync(id, "heartbeat", content(), "again").Empty(200);
        await first.SendAsync(id, "heartbeat", content(), "and again").Empty(200);
        await second.SendAsync(id, "heartbeat", content(), "and again").Empty(200);
        (await CountAsync()).ShouldBe(3);

        async Task<int> CountAsync() => (await world.Kube.ListAsync<k8s.Models.Corev1Event>("default", default)).Where(found => found.InvolvedObject.Name == id).Sum(found => found.Count ?? 0);
    }

    [Fact]
    public async Task An_event_with_an_id_counts_once_in_whatever_message_and_to_whichever_replica_it_is_said()
    {
        await using var one = await StartAsync("named-one", world.Time);
        await using var two = await StartAsync("named-two", world.Time);
        var (id, first, second) = await DeviceAsync(one, two);
        JsonObject Said(params string[] ids) => new()
        {
            ["status"] = "up",
            ["events"] = new JsonArray([.. ids.Select(name => new JsonObject { ["reason"] = "Failed", ["message"] = "no image", ["type"] = "warn", ["id"] = name })]),
        };
        await first.SendAsync(id, "heartbeat", Said("a"), "1").Empty(200);
        // The agent was killed before it saw the answer, and says it in a message of its own, together with what happened since.
        await second.SendAsync(id, "heartbeat", Said("a", "b", "c"), "2").Empty(200);
        await first.SendAsync(id, "heartbeat", Said("c", "d"), "3").Empty(200);
        (await CountAsync()).ShouldBe(4);
        // As many as one heartbeat of the agent has, all of them twice.
        var many = Enumerable.Range(0, Flotta.Agent.Heartbeats.EventQueue.MostAtOnce).Select(number => $"e{number}").ToArray();
        await first.SendAsync(id, "heartbeat", Said(many), "4").Empty(200);
        await second.SendAsync(id, "heartbeat", Said(many), "5").Empty(200);
        (await CountAsync()).ShouldBe(4 + many.Length);

        async Task<int> CountAsync() => (await world.Kube.ListAsync<k8s.Models.Corev1Event>("default", default)).Where(found => found.InvolvedObject.Name == id).Sum(found => found.Count ?? 0);
    }

    [Fact]
    public async Task Events_of_many_words_count_once_each_also_when_they_were_combined_and_are_said_again_elsewhere()
    {
        await using var one = await StartAsync("many-one", world.Time);
        await using var two = await StartAsync("many-two", world.Time);
        var (id, first, second) = await DeviceAsync(one, two);
        JsonObject Said() => new()
        {
            ["status"] = "up",
            ["events"] = new JsonArray([.. Enumerable.Range(0, 30).Select(number => new JsonObject { ["reason"] = "Failed", ["message"] = $"exit code {number}", ["type"] = "warn", ["id"] = $"e{number}" })]),
        };
        await first.SendAsync(id, "heartbeat", Said(), "1").Empty(200);
        await second.SendAsync(id, "heartbeat", Said(), "2").Empty(200);
        await first.SendAsync(id, "heartbeat", Said(), "3").Empty(200);
        (await world.Kube.ListAsync<k8s.Models.Corev1Event>("default", default)).Where(found => found.InvolvedObject.Name == id).Sum(found => found.Count ?? 0).ShouldBe(30);
    }

    [Fact]
    public async Task A_clock_that_jumps_makes_nobody_silent()
    {
        await using var host = await StartAsync("jumping", world.Time);
        var (id, client, _) = await DeviceAsync(host, host);
        await BeatAsync(client, id);
        await Eventually.True(async () => Connected(await StatusAsync(id)) == "True");
        var since = (await StatusAsync(id)).Conditions!.Single(condition => condition.Type == "Connected").LastTransitionTime;
        foreach (var jump in new[] { TimeSpan.FromDays(3), TimeSpan.FromDays(-3), TimeSpan.Zero })
        {
            world.Time.Shift = jump;
            await Task.Delay(2500); // one look of the loop, which goes by monotonic time
            (await client.GetAsync(id, "control").Status()).ShouldBe(200);
            (await StatusAsync(id)).Conditions!.Single(condition => condition.Type == "Connected").ShouldSatisfyAllConditions(
                connected => connected.Status.ShouldBe("True"),
                connected => connected.LastTransitionTime.ShouldBe(since));
        }

        world.Time.Shift = TimeSpan.Zero;
    }

    private Task<EdgeApiHost> StartAsync(string replica, TimeProvider time, TimeSpan drain = default) => EdgeApiHost.StartAsync(
        new EdgeApiOptions { Listen = IPAddress.Loopback, Port = 0, Replica = replica, Drain = drain }, world.Configuration, NullLoggerFactory.Instance, time, CancellationToken.None);

    private async Task<(string Id, EdgeClient First, EdgeClient Second)> DeviceAsync(EdgeApiHost one, EdgeApiHost two)
    {
        var id = world.NewId();
        var (certificate, serial) = world.CertificateFor(id);
        await world.Kube.CreateAsync(new EdgeDevice { Metadata = new() { Name = id, NamespaceProperty = "default" } }, default);
        await world.RecordAsync(id, new CertificateStatus { Serial = serial, Confirmed = true, NotAfter = world.Time.GetUtcNow().AddDays(30) });
        var clients = new[] { one, two }.Select(host => new EdgeClient(host.Address, world.Bootstrap.CaPem, certificate)).ToList();
        return (id, clients[0], clients[1]);
    }

    private static Task BeatAsync(EdgeClient client, string id) =>
        Eventually.True(async () => await client.BeatAsync(id, new JsonObject { ["status"] = "up" }).Status() == 200);

    private async Task<EdgeDeviceStatus> StatusAsync(string id) => (await world.FindAsync(id))!.Status!;

    private Task UntilAsync(string id, FakeTimeProvider time, Func<EdgeDeviceStatus, bool> until, TimeSpan? step = null) => Eventually.True(async () =>
    {
        time.Advance(step ?? TimeSpan.FromMilliseconds(200));
        return until(await StatusAsync(id));
    });

    private static string? Connected(EdgeDeviceStatus status) => Conditions.Find(status.Conditions, "Connected")?.Status;
}
