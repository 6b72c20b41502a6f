using Flotta.Tests.Agent;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Yggdrasil;

public sealed class ControlLoopTests
{
    private readonly PollOptions _polls = new() { Interval = TimeSpan.FromMilliseconds(10), RelaxedControlInterval = TimeSpan.FromMilliseconds(10) };

    [Fact]
    public async Task A_ping_is_answered_with_a_pong_that_says_to_what()
    {
        await using var server = await EdgeStandIn.StartAsync();
        var loop = Run(server, """{"type":"command","message_id":"ping-1","version":1,"content":{"command":"ping","arguments":null}}""");
        var pong = await server.SeesAsync(seen => seen.What == "control/out" && seen.Message.Type == MessageTypes.Event);
        pong.Message.ResponseTo.ShouldBe("ping-1");
        pong.Message.Content!.Value.GetString().ShouldBe("pong");
        await loop.StopAsync();
    }

    [Theory]
    [InlineData("""{"command":"reconnect","arguments":{"delay":"12"}}""", 12)]
    [InlineData("""{"command":"reconnect","arguments":{"delay":"1e99"}}""", 0)]
    [InlineData("""{"command":"reconnect","arguments":{"delay":"999999999"}}""", 3600)]
    [InlineData("""{"command":"reconnect","arguments":{"delay":"-5"}}""", 0)]
    [InlineData("""{"command":"reconnect","arguments":{"delay":"NaN"}}""", 0)]
    [InlineData("""{"command":"reconnect","arguments":{"delay":"Infinity"}}""", 0)]
    [InlineData("""{"command":"reconnect"}""", 0)]
    public async Task A_reconnect_ends_with_the_delay_brought_within_reason(string content, int seconds)
    {
        await using var server = await EdgeStandIn.StartAsync();
        var loop = Run(server, $$"""{"type":"command","content":{{content}}}""");
        (await loop.Ended).ReconnectAfter.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public async Task A_disconnect_ends_it_for_good()
    {
        await using var server = await EdgeStandIn.StartAsync();
        var loop = Run(server, """{"type":"command","content":{"command":"disconnect","arguments":null}}""");
        (await loop.Ended).IsDisconnect.ShouldBeTrue();
    }

    [Theory]
    [InlineData("<html>busy</html>")]
    [InlineData("""{"type":"command","content":"disconnect"}""")]
    [InlineData("""{"type":"command","content":{"command":7}}""")]
    [InlineData("""{"type":"data","content":{"command":"disconnect"}}""")]
    [InlineData("""{"type":"command","content":{"Command":"disconnect"}}""")]
    [InlineData("""{"type":"command","content":{"command":"format"}}""")]
    public async Task What_is_no_command_is_ignored(string body)
    {
        await using var server = await EdgeStandIn.StartAsync();
        var loop = Run(server, body);
        await server.SeesAsync("control/in", 2);
        loop.Ended.IsCompleted.ShouldBeFalse();
        await loop.StopAsync();
    }

    [Fact]
    public async Task An_error_page_is_not_a_command_whatever_it_says()
    {
        await using var server = await EdgeStandIn.StartAsync();
        var loop = Run(server, """{"type":"command","content":{"command":"disconnect"}}""", status: 502);
        await server.SeesAsync("control/in");
        loop.Ended.IsCompleted.ShouldBeFalse();
        await loop.StopAsync();
    }

    [Fact]
    public async Task How_long_it_waits_follows_whether_data_in_is_held_while_it_waits()
    {
        await using var server = await EdgeStandIn.StartAsync();
        var (time, held) = (new FakeTimeProvider(), false);
        int Looks() => server.Requests.Count(seen => seen.What == "control/in");
        async Task PassAsync(int minutes)
        {
            for (var half = 0; half < minutes * 2; half++)
            {
                time.Advance(TimeSpan.FromSeconds(30));
                await Task.Delay(5);
            }
        }

        var loop = Run(server, "", time: time, polls: PollOptions.Thrifty, isHeld: () => held);
        await server.SeesAsync("control/in");
        // Just after a start nothing is held yet, and a look would be due after a quarter of an hour.
        await PassAsync(5);
        held = true;
        await PassAsync(60);
        Looks().ShouldBe(1);
        // Nothing tells of news any more: the look that is due by now is made within a minute.
        held = false;
        await Eventually.True(async () =>
        {
            await PassAsync(1);
            return Looks() == 2;
        });
        await loop.StopAsync();
    }

    private Running Run(EdgeStandIn server, string body, int status = 200, TimeProvider? time = null, PollOptions? polls = null, Func<bool>? isHeld = null)
    {
        server.Instead = async (seen, context) =>
        {
            if (seen.What != "control/in")
                return false;
            context.Response.StatusCode = status;
            await context.Response.WriteAsync(body);
            return true;
        };
        var transport = TransportTests.Transport(server);
        var stop = new CancellationTokenSource();
        var loop = new ControlLoop(transport, new NoStatus(), isHeld ?? (() => false), polls ?? _polls, NullLogger<ControlLoop>.Instance, time ?? TimeProvider.System);
        return new Running(loop.RunAsync(stop.Token), stop);
    }

    private sealed record Running(Task<ControlEnd> Ended, CancellationTokenSource Stop)
    {
        public async Task StopAsync()
        {
            await Stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(Ended);
        }
    }

    private sealed class NoStatus : IStatusSource
    {
        public object Stamp => "same";

        public ConnectionStatus Read() => new() { State = "online" };
    }
}
