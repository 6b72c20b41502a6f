using Flotta.Agent.Heartbeats;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent;

public sealed class HeartbeatPaceTests
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(30);
    private readonly FakeTimeProvider _time = new();
    private readonly HeartbeatPace _pace = new(Thrifty: false);

    [Fact]
    public void What_was_said_is_not_said_again_while_requests_are_held() =>
        _pace.IsSaid(At("a", 1, 0), At("a", 1, 29), Quiet, _time).ShouldBeTrue();

    [Fact]
    public void The_first_heartbeat_comes_before_the_first_held_request() =>
        _pace.IsSaid(At("a", null, 0), At("a", 1, 1), Quiet, _time).ShouldBeTrue();

    [Fact]
    public void Something_new_is_said() => _pace.IsSaid(At("a", 1, 0), At("b", 1, 1), Quiet, _time).ShouldBeFalse();

    [Fact]
    public void It_is_said_again_when_the_time_agreed_on_is_over() => _pace.IsSaid(At("a", 1, 0), At("a", 1, 30), Quiet, _time).ShouldBeFalse();

    [Fact]
    public void It_is_said_again_when_the_connection_was_lost_in_between() => _pace.IsSaid(At("a", 1, 0), At("a", 2, 1), Quiet, _time).ShouldBeFalse();

    [Fact]
    public void It_is_said_again_while_nothing_is_held() => _pace.IsSaid(At("a", 1, 0), At("a", null, 1), Quiet, _time).ShouldBeFalse();

    [Fact]
    public void A_server_that_agreed_to_nothing_hears_every_one() => _pace.IsSaid(At("a", 1, 0), At("a", 1, 1), null, _time).ShouldBeFalse();

    [Fact]
    public void It_is_said_again_with_a_new_certificate()
    {
        var (certificate, key) = new TestAuthority().Issue("CN=dev1");
        var one = Flotta.Yggdrasil.Credentials.Identity.FromPem(certificate, key, "c", "k");
        _pace.IsSaid(At("a", 1, 0) with { AsWhom = one }, At("a", 1, 1) with { AsWhom = one }, Quiet, _time).ShouldBeTrue();
        _pace.IsSaid(At("a", 1, 0), At("a", 1, 1) with { AsWhom = one }, Quiet, _time).ShouldBeFalse();
    }

    [Theory]
    [InlineData(false, 0, true, 60)]
    [InlineData(false, 5, true, 5)]
    [InlineData(true, 60, true, 600)]
    [InlineData(true, 900, true, 900)]
    // The server goes by the period; who does not agree to quiet would take this device for silent.
    [InlineData(true, 30, false, 30)]
    public void Thrifty_devices_look_rarely_where_the_server_agrees(bool thrifty, int configured, bool quiet, int seconds) =>
        new HeartbeatPace(thrifty).Period(configured, quiet ? Quiet : null).ShouldBe(TimeSpan.FromSeconds(seconds));

    private Beat At(string content, long? holding, int minutes) => new(content, holding, minutes * 60 * _time.TimestampFrequency);
}
