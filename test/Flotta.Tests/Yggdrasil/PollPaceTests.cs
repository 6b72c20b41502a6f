using Flotta.Yggdrasil.Transport;

namespace Flotta.Tests.Yggdrasil;

public sealed class PollPaceTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(240);
    private readonly PollPace _pace = new(Interval);

    [Fact]
    public void A_held_request_that_ended_is_asked_again_at_once() =>
        _pace.After(new Answer { Status = 304, Held = true, ETag = "\"1\"" }, "\"1\"", Long, kept: true).ShouldBeLessThan(TimeSpan.FromSeconds(1));

    [Fact]
    public void A_new_configuration_is_followed_at_once_by_the_question_that_may_be_held() =>
        _pace.After(new Answer { Status = 200, ETag = "\"2\"" }, "\"1\"", TimeSpan.Zero, kept: true).ShouldBeLessThan(TimeSpan.FromSeconds(1));

    [Fact]
    public void A_server_that_says_it_holds_and_does_not_cannot_make_us_spin() =>
        _pace.After(new Answer { Status = 304, Held = true, ETag = "\"1\"" }, "\"1\"", TimeSpan.FromMilliseconds(3), kept: true).ShouldBeGreaterThan(TimeSpan.FromSeconds(3));

    [Fact]
    public void A_server_that_ignores_the_tag_is_polled() =>
        _pace.After(new Answer { Status = 200, ETag = "\"1\"" }, "\"1\"", TimeSpan.Zero, kept: true).TotalSeconds.ShouldBeInRange(4, 6);

    [Fact]
    public void The_original_is_polled_every_five_seconds_with_jitter()
    {
        var pauses = Enumerable.Range(0, 50).Select(_ => _pace.After(new Answer { Status = 200 }, null, TimeSpan.Zero, kept: true).TotalSeconds).ToList();
        pauses.ShouldAllBe(pause => pause >= 4 && pause <= 6);
        pauses.Distinct().Count().ShouldBeGreaterThan(40);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(500)]
    [InlineData(0)]
    public void Failures_are_asked_ever_more_slowly(int status)
    {
        var answer = status == 0 ? Answer.None("no route") : new Answer { Status = status };
        for (var i = 0; i < 8; i++)
            _pace.After(answer, null, TimeSpan.Zero, kept: true);
        _pace.After(answer, null, TimeSpan.Zero, kept: true).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(15));
    }

    [Fact]
    public void A_configuration_that_could_not_be_stored_is_not_asked_for_in_a_tight_loop()
    {
        for (var i = 0; i < 8; i++)
            _pace.After(new Answer { Status = 200, ETag = "\"2\"" }, "\"1\"", TimeSpan.Zero, kept: false);
        _pace.After(new Answer { Status = 200, ETag = "\"2\"" }, "\"1\"", TimeSpan.Zero, kept: false).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(15));
    }

    [Fact]
    public void A_busy_server_names_the_pause() =>
        _pace.After(new Answer { Status = 503, RetryAfter = TimeSpan.FromSeconds(90) }, null, TimeSpan.Zero, kept: true).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(90));
}
