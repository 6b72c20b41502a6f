using Flotta.Agent.CommandLine;
using Flotta.Agent.Connections;
using Flotta.Wire;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent;

/// <summary>A change of server or authorities that does not work is taken back.</summary>
public sealed class ConnectionTests
{
    private const string Nothing = """{"device_id":"dev1","version":"v0","configuration":{"mounts":[]}}""";

    [Fact]
    public void The_configured_connection_has_ten_minutes_then_the_last_good_one_an_hour_at_a_time()
    {
        var turn = ConnectionTurn.Begin(TimeSpan.Zero);
        turn.Next(hasOther: false, TimeSpan.FromDays(9)).ShouldBe(turn, "there is nothing to go back to");
        turn.Next(hasOther: true, TimeSpan.FromMinutes(9)).ShouldBe(turn);
        (turn with { Proved = true }).Next(hasOther: true, TimeSpan.FromDays(9)).Configured.ShouldBeTrue();

        var back = turn.Next(hasOther: true, TimeSpan.FromMinutes(10));
        back.Configured.ShouldBeFalse();
        back.Next(true, TimeSpan.FromMinutes(20)).Configured.ShouldBeTrue("neither works: by turns");
        var working = back with { Proved = true };
        working.Next(true, TimeSpan.FromMinutes(69)).Configured.ShouldBeFalse();
        var again = working.Next(true, TimeSpan.FromMinutes(70));
        again.Configured.ShouldBeTrue();
        again.Next(true, TimeSpan.FromMinutes(71)).Configured.ShouldBeFalse("one look, not ten minutes");
    }

    [Fact]
    public async Task A_device_told_of_a_server_that_is_not_there_goes_back_and_says_so()
    {
        await using var server = await EdgeStandIn.StartAsync();
        var time = new FakeTimeProvider(TestAuthority.Now);
        await using var device = new TestDevice(server) { Time = time };
        server.Configure(Nothing, "v0");
        await ProveAsync(server, device, time);

        device.Start(device.Options with { Server = "127.0.0.1:9" });
        await PumpAsync(time, () => server.Requests.Any(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Events!.Any(one => one.Reason == "ConnectionRolledBack" && one.Message!.Contains("127.0.0.1:9", StringComparison.Ordinal))), device);
    }

    [Fact]
    public async Task Authorities_that_are_replaced_by_the_wrong_ones_are_taken_back_and_by_the_right_ones_used()
    {
        await using var server = await EdgeStandIn.StartAsync();
        var time = new FakeTimeProvider(TestAuthority.Now);
        await using var device = new TestDevice(server) { Time = time };
        server.Configure(Nothing, "v0");
        await ProveAsync(server, device, time);
        device.Start();
        await PumpAsync(time, () => server.Requests.Any(seen => seen.What == Directives.Heartbeat), device);

        File.WriteAllText(device.InFolder("ca.pem"), "nonsense");
        await PumpAsync(time, () => device.Log.ToString().Contains("those of before stay", StringComparison.Ordinal), device);
        File.WriteAllText(device.InFolder("ca.pem"), new TestAuthority().Pem);
        await PumpAsync(time, () => device.Log.ToString().Contains("used from now on", StringComparison.Ordinal), device);
        server.Requests.Clear();
        await PumpAsync(time, () => server.Requests.Any(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Events!.Any(one => one.Reason == "ConnectionRolledBack")), device);

        File.WriteAllText(device.InFolder("ca.pem"), new TestAuthority().Pem + "\n" + server.Authority.Pem);
        await PumpAsync(time, () => server.Requests.Any(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Events!.Any(one => one.Reason == "ConnectionRestored")), device);
    }

    [Fact]
    public async Task An_agent_starts_with_the_authorities_of_before_when_the_files_are_gone()
    {
        await using var server = await EdgeStandIn.StartAsync();
        var time = new FakeTimeProvider(TestAuthority.Now);
        await using var device = new TestDevice(server) { Time = time };
        server.Configure(Nothing, "v0");
        await ProveAsync(server, device, time);
        File.Delete(device.InFolder("ca.pem"));
        server.Requests.Clear();
        device.Start();
        await PumpAsync(time, () => server.Requests.Any(seen => seen.What == Directives.Heartbeat), device);
    }

    private static async Task ProveAsync(EdgeStandIn server, TestDevice device, FakeTimeProvider time)
    {
        device.Start();
        await PumpAsync(time, () => File.Exists(device.InData("connection.json")), device);
        await device.StopAsync();
        server.Requests.Clear();
    }

    private static Task PumpAsync(FakeTimeProvider time, Func<bool> condition, TestDevice device) => Until.TrueAsync(
        () =>
        {
            time.Advance(TimeSpan.FromSeconds(2));
            return condition();
        },
        () => device.Log.ToString());
}
