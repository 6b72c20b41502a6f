using System.Globalization;
using Flotta.Agent;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent;

public sealed class ThriftyTimeTests
{
    [Theory]
    [InlineData(0, 0.2, 0.2)]
    [InlineData(100, 19, 19)]
    [InlineData(0, 20, 300)]
    [InlineData(119, 60, 181)]
    [InlineData(0, 300, 300)]
    [InlineData(30, 1800, 2070)]
    public void What_is_not_due_soon_goes_off_at_the_next_whole_five_minutes(double now, double due, double after) =>
        ThriftyTime.PutOff(TimeSpan.FromSeconds(due), TimeSpan.FromSeconds(now)).ShouldBe(TimeSpan.FromSeconds(after));

    [Fact]
    public void What_is_never_due_never_goes_off() =>
        ThriftyTime.PutOff(Timeout.InfiniteTimeSpan, TimeSpan.FromHours(1)).ShouldBe(Timeout.InfiniteTimeSpan);

    [Fact]
    public void What_goes_off_soon_and_then_regularly_does_so_together_with_all_else()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 3, 5, TimeSpan.Zero));
        var at = new List<string>();
        using var timer = new ThriftyTime(clock).CreateTimer(_ => at.Add(clock.GetUtcNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture)), null, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30));
        void Pass(TimeSpan time)
        {
            for (var end = clock.GetUtcNow() + time; clock.GetUtcNow() < end;)
                clock.Advance(TimeSpan.FromSeconds(1));
        }

        Pass(TimeSpan.FromMinutes(15));
        at.ShouldBe(["03:03:20", "03:05:00", "03:10:00", "03:15:00"]);
        timer.Change(TimeSpan.Zero, TimeSpan.FromMinutes(6));
        Pass(TimeSpan.FromMinutes(13));
        at.Skip(4).ShouldBe(["03:18:05", "03:25:00"]);
        timer.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        Pass(TimeSpan.FromHours(1));
        at.Count.ShouldBe(7);
    }

    [Fact]
    public async Task Short_waits_are_as_short_as_they_are()
    {
        await Task.Delay(TimeSpan.FromMilliseconds(1), new ThriftyTime(), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(15));
    }
}
