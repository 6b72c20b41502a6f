using System.Collections.Concurrent;
using System.Text;
using Flotta.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent;

public sealed class HostileServerTests
{
    private const string Web = """{"device_id":"dev1","version":"v1","configuration":{"heartbeat":{"period_seconds":1},"mounts":[]},"workloads":[{"name":"web","namespace":"default","specification":"containers: []\n"}]}""";

    public static TheoryData<string> Bodies =>
    [
        "<html><body>Welcome to this hotel's network</body></html>",
        "null",
        "[]",
        "\"disconnect\"",
        "{\"content\":{\"certificate\":7}}",
        "{\"type\":\"data\",\"directive\":\"device\",\"content\":\"x\"}",
        "{\"type\":\"data\",\"directive\":\"device\",\"content\":{\"workloads\":[{}],\"version\":1}}",
        "{\"type\":\"command\",\"content\":[1,2,3]}",
        new string('[', 100_000),
        new string('x', 20_000_000),
        "\0\u0001\u0002",
    ];

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Whatever_a_server_answers_the_device_keeps_what_it_has_and_comes_through(string body)
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Configure(Web, "v1");
        device.Start();
        await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Version == "v1");

        var bytes = Encoding.UTF8.GetBytes(body);
        var told = 0;
        server.Instead = async (_, context) =>
        {
            Interlocked.Increment(ref told);
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.WriteAsync(bytes);
            return true;
        };
        // Ends the held request, so that every endpoint gets to say it.
        server.Configure(Web, "v2");
        device.Workloads.States = [];
        await Until.TrueAsync(() => told >= 3);
        device.Workloads.Removals.ShouldBe(0);
        device.Workloads.Applied.ShouldAllBe(applied => applied.Workloads.Count == 1);

        server.Instead = null;
        server.Configure(Web.Replace("containers: []", "containers: [] # new", StringComparison.Ordinal).Replace("\"v1\"", "\"v3\"", StringComparison.Ordinal), "v3");
        await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Version == "v3");
        device.Log.ToString().ShouldNotContain("unforeseen");
    }

    [Fact]
    public async Task A_server_that_wants_a_new_connection_at_each_look_gets_it_with_a_pause()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Configure(Web, "v1");
        var time = new FakeTimeProvider(TestAuthority.Now);
        await PausesBetweenAsync(server.Reconnect(time), device, time);
    }

    [Fact]
    public async Task A_server_that_takes_no_certificate_that_it_has_issued_is_asked_for_others_with_a_pause()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        var time = new FakeTimeProvider(TestAuthority.Now);
        var enrolments = new ConcurrentQueue<DateTimeOffset>();
        string? bootstrap = null;
        server.Instead = (seen, context) =>
        {
            bootstrap ??= seen.Certificate.SerialNumber;
            if (seen.What == Directives.Enrolment)
                enrolments.Enqueue(time.GetUtcNow());
            if (seen.Certificate.SerialNumber == bootstrap)
                return Task.FromResult(false);
            context.Response.StatusCode = 401;
            return Task.FromResult(true);
        };
        await PausesBetweenAsync(enrolments, device, time);
    }

    private static async Task PausesBetweenAsync(ConcurrentQueue<DateTimeOffset> looks, TestDevice device, FakeTimeProvider time)
    {
        device.Time = time;
        device.Start();
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            return looks.Count >= 4;
        });
        looks.Zip(looks.Skip(1), (before, after) => after - before).ShouldAllBe(gap => gap >= TimeSpan.FromSeconds(0.5));
    }

    [Fact]
    public async Task A_hostile_server_cannot_break_an_enrolment_either()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Configure(Web, "v1");
        var answers = new Queue<(int Status, string Body)>([(500, "<html>"), (302, ""), (208, "junk"), (200, "junk"), (208, ""), (208, "")]);
        server.Instead = async (seen, context) =>
        {
            if (seen.What is not (Directives.Enrolment or Directives.Registration) || !answers.TryDequeue(out var answer))
                return false;
            context.Response.StatusCode = answer.Status;
            if (answer.Body.Length > 0)
                await context.Response.WriteAsync(answer.Body);
            return true;
        };
        device.Time = new Hurried();
        device.Start();
        await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Version == "v1");
    }

    /// <summary>A clock whose timers go off a hundred times as fast.</summary>
    private sealed class Hurried : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : dueTime >= TimeSpan.FromSeconds(20) ? dueTime : dueTime / 100, period);
    }
}
