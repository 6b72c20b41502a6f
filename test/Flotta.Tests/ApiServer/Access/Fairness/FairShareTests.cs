using Flotta.ApiServer.Access.Fairness;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.ApiServer.Access.Fairness;

public sealed class FairShareTests
{
    private readonly FakeTimeProvider time = new();
    private readonly FairShare fairness;

    public FairShareTests() =>
        fairness = new(new FairShareLimits { Working = 4, WorkingEach = 3, WaitingEach = 5, WatchesEach = 2, LongestWait = TimeSpan.FromSeconds(10) }, time);

    [Fact]
    public async Task A_busy_identity_waits_for_itself_and_others_do_not()
    {
        for (var i = 0; i < 3; i++)
            (await Enter("busy")).ShouldNotBeNull();
        var waiting = Enter("busy");
        waiting.IsCompleted.ShouldBeFalse();
        Enter("other").IsCompletedSuccessfully.ShouldBeTrue();
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Places_go_in_turn_to_the_identities_that_wait()
    {
        var held = new List<FairShare.Seat>();
        for (var i = 0; i < 3; i++)
            held.Add((await Enter("a"))!);
        held.Add((await Enter("b"))!);
        // a came first and often, c once: c does not wait for all of a.
        var mine = Enumerable.Range(0, 4).Select(_ => Enter("a")).ToList();
        var late = Enter("c");
        held[0].Dispose();
        await mine[0];
        held[1].Dispose();
        await late;
        mine.Skip(1).ShouldAllBe(one => !one.IsCompleted);
    }

    [Fact]
    public async Task Who_asks_for_too_much_at_once_is_told_to_come_again()
    {
        var held = (await Enter("a"))!;
        var all = Enumerable.Range(0, 7).Select(_ => Enter("a")).ToList();
        (await Enter("a")).ShouldBeNull();
        held.Dispose();
        (await all[2]).ShouldNotBeNull();
    }

    [Fact]
    public async Task Nobody_waits_for_ever()
    {
        for (var i = 0; i < 3; i++)
            await Enter("a");
        var waiting = Enter("a");
        time.Advance(TimeSpan.FromSeconds(11));
        (await waiting).ShouldBeNull();
    }

    [Fact]
    public async Task Who_goes_away_while_waiting_leaves_the_turn_to_the_next()
    {
        var held = new List<FairShare.Seat>();
        for (var i = 0; i < 3; i++)
            held.Add((await Enter("a"))!);
        using var gone = new CancellationTokenSource();
        var first = fairness.EnterAsync("a", gone.Token).AsTask();
        var second = Enter("a");
        await gone.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => first);
        held[0].Dispose();
        (await second).ShouldNotBeNull();
    }

    [Fact]
    public async Task Watches_take_no_places_and_have_a_bound_of_their_own()
    {
        fairness.EnterWatch("a").ShouldNotBeNull();
        var second = fairness.EnterWatch("a")!;
        fairness.EnterWatch("a").ShouldBeNull();
        for (var i = 0; i < 3; i++)
            (await Enter("a")).ShouldNotBeNull();
        second.Dispose();
        fairness.EnterWatch("a").ShouldNotBeNull();
    }

    [Fact]
    public async Task A_place_is_given_back_once_however_often_it_is_left()
    {
        var held = (await Enter("a"))!;
        held.Dispose();
        held.Dispose();
        var all = new List<Task<FairShare.Seat?>>();
        for (var i = 0; i < 4; i++)
            all.Add(Enter("user" + i));
        all.ShouldAllBe(one => one.IsCompletedSuccessfully);
        Enter("one more").IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Under_any_load_no_more_than_allowed_work_and_everybody_gets_through()
    {
        var limits = new FairShareLimits { Working = 5, WorkingEach = 2, WaitingEach = 1000, LongestWait = TimeSpan.FromMinutes(10) };
        var share = new FairShare(limits, TimeProvider.System);
        var (working, most) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 2000).Select(async i =>
        {
            using var seat = await share.EnterAsync("u" + (i % 7), TestContext.Current.CancellationToken);
            seat.ShouldNotBeNull();
            var now = Interlocked.Increment(ref working);
            if (now > Volatile.Read(ref most))
                Volatile.Write(ref most, now);
            await Task.Yield();
            Interlocked.Decrement(ref working);
        }));
        most.ShouldBeLessThanOrEqualTo(5);
    }

    private Task<FairShare.Seat?> Enter(string identity) => fairness.EnterAsync(identity, CancellationToken.None).AsTask();
}
