using Flotta.Agent;

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
    public async Task Short_waits_are_as_short_as_they_are()
    {
        await Task.Delay(TimeSpan.FromMilliseconds(1), new ThriftyTime(), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(15));
    }
}
