using Flotta.Fleet.Devices;
using Flotta.Fleet.Scenarios;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Fleet;

public sealed class CensusTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Census _census;

    public CensusTests() => _census = new Census(_time);

    [Fact]
    public void The_goal_is_reached_when_the_last_device_is_served()
    {
        var reached = _census.ReachesAsync(2);
        _census.Heard(served: true);
        reached.IsCompleted.ShouldBeFalse();
        _census.Heard(served: true);
        reached.IsCompletedSuccessfully.ShouldBeTrue();
        _census.ReachesAsync(2).IsCompletedSuccessfully.ShouldBeTrue();
    }

    [Fact]
    public void An_outage_lasts_from_the_first_loss_until_the_last_device_is_served_again()
    {
        Serve(100);
        for (var i = 0; i < 60; i++)
            _census.Heard(served: false);
        _time.Advance(TimeSpan.FromSeconds(5));
        for (var i = 0; i < 59; i++)
            _census.Heard(served: true);
        _census.Outages.Single().Ended.ShouldBeNull();
        _time.Advance(TimeSpan.FromSeconds(2));
        _census.Heard(served: true);
        var outage = _census.Outages.Single();
        (outage.Devices, outage.Seconds).ShouldBe((60, 7));
        outage.Ended.ShouldBe(outage.Began.AddSeconds(7));
    }

    [Fact]
    public void A_single_device_that_loses_its_link_is_no_outage_of_the_fleet()
    {
        Serve(100);
        _census.Heard(served: false);
        _census.Outages.ShouldBeEmpty();
        _census.Heard(served: true);
        _census.Outages.ShouldBeEmpty();
    }

    [Fact]
    public void Devices_are_counted_by_phase()
    {
        _census.Joined();
        _census.Joined();
        _census.Moved(DevicePhase.Off, DevicePhase.Enrolling);
        _census.Phases().ShouldBe(new Dictionary<string, int> { ["off"] = 1, ["enrolling"] = 1 }, ignoreOrder: true);
    }

    private void Serve(int devices)
    {
        for (var i = 0; i < devices; i++)
            _census.Heard(served: true);
    }
}
