using Flotta.EdgeApi;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.EdgeApi;

public sealed class SparinglyTests
{
    [Fact]
    public void What_happens_to_a_whole_fleet_is_told_every_ten_seconds_with_a_count()
    {
        var time = new FakeTimeProvider();
        time.Advance(TimeSpan.FromSeconds(1));
        var failed = new Sparingly(time);
        failed.Count().ShouldBe(1);
        for (var more = 0; more < 2000; more++) failed.Count().ShouldBeNull();
        time.Advance(TimeSpan.FromSeconds(10));
        failed.Count().ShouldBe(2001);
    }
}
