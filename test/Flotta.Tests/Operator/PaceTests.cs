using Flotta.Operator;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Operator;

public sealed class PaceTests
{
    [Fact]
    public async Task After_a_seconds_worth_at_once_the_rest_comes_at_the_rate()
    {
        var time = new FakeTimeProvider();
        var pace = new Pace(10, time);
        for (var number = 0; number < 10; number++) pace.WaitAsync(TestContext.Current.CancellationToken).IsCompleted.ShouldBeTrue();
        var next = pace.WaitAsync(TestContext.Current.CancellationToken);
        var later = pace.WaitAsync(TestContext.Current.CancellationToken);
        next.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromMilliseconds(100));
        await next;
        later.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromMilliseconds(100));
        await later;
    }

    [Fact]
    public void A_long_pause_saves_up_one_second_and_not_more()
    {
        var time = new FakeTimeProvider();
        var pace = new Pace(10, time);
        time.Advance(TimeSpan.FromHours(1));
        var waits = Enumerable.Range(0, 12).Select(_ => pace.WaitAsync(TestContext.Current.CancellationToken).IsCompleted).ToList();
        waits.Count(at => at).ShouldBe(10);
    }
}
