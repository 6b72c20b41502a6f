using Flotta.Kube;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Kube;

public sealed class WorkQueueTests : IDisposable
{
    private readonly FakeTimeProvider time = new();
    private readonly WorkQueue<string> queue;

    public WorkQueueTests() => queue = new WorkQueue<string>(time, new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10)) { Jitter = () => 1 });

    public void Dispose() => queue.Dispose();

    [Fact]
    public async Task A_key_added_twice_comes_once()
    {
        queue.Add("a");
        queue.Add("a");
        (await Take()).ShouldBe("a");
        queue.Done("a");
        queue.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_key_added_while_a_worker_has_it_comes_again_only_when_that_worker_is_done()
    {
        queue.Add("a");
        await Take();
        queue.Add("a");
        queue.Add("b");
        (await Take()).ShouldBe("b");
        queue.TakeAsync(CancellationToken.None).IsCompleted.ShouldBeFalse();
        var next = queue.TakeAsync(CancellationToken.None);
        next.IsCompleted.ShouldBeFalse();
        queue.Done("a");
        queue.Done("b");
    }

    [Fact]
    public async Task After_done_the_key_added_meanwhile_is_there()
    {
        queue.Add("a");
        await Take();
        queue.Add("a");
        queue.Done("a");
        (await Take()).ShouldBe("a");
    }

    [Fact]
    public async Task A_delayed_key_comes_when_it_is_due()
    {
        queue.AddAfter("a", TimeSpan.FromSeconds(5));
        time.Advance(TimeSpan.FromSeconds(4.9));
        queue.Count.ShouldBe(0);
        time.Advance(TimeSpan.FromSeconds(0.1));
        (await Take()).ShouldBe("a");
    }

    [Fact]
    public async Task Of_two_times_the_earlier_counts_and_the_later_adds_nothing()
    {
        queue.AddAfter("a", TimeSpan.FromSeconds(50));
        queue.AddAfter("a", TimeSpan.FromSeconds(5));
        queue.AddAfter("a", TimeSpan.FromSeconds(20));
        time.Advance(TimeSpan.FromSeconds(5));
        queue.Count.ShouldBe(1);
        (await Take()).ShouldBe("a");
        queue.Done("a");
        time.Advance(TimeSpan.FromMinutes(2));
        queue.Count.ShouldBe(0);
    }

    [Fact]
    public void Waits_longer_than_a_timer_can_count_are_kept()
    {
        queue.AddAfter("a", TimeSpan.FromDays(100));
        for (var day = 0; day < 99; day++)
            time.Advance(TimeSpan.FromDays(1));
        queue.Count.ShouldBe(0);
        time.Advance(TimeSpan.FromDays(1));
        queue.Count.ShouldBe(1);
    }

    [Fact]
    public void Each_failure_waits_longer_up_to_the_limit_and_forget_starts_over()
    {
        Enumerable.Range(0, 6).Select(_ => queue.Retry("a").TotalSeconds).ShouldBe([1, 2, 4, 8, 10, 10]);
        queue.Retry("b").TotalSeconds.ShouldBe(1);
        queue.Forget("a");
        queue.Retry("a").TotalSeconds.ShouldBe(1);
    }

    [Fact]
    public void The_server_may_ask_for_a_longer_wait() => queue.Retry("a", TimeSpan.FromSeconds(7)).TotalSeconds.ShouldBe(7);

    [Fact]
    public async Task Who_was_told_to_come_back_later_comes_no_earlier_whatever_happens_meanwhile()
    {
        queue.Add("a");
        await Take();
        queue.Add("a"); // while its round is under way that ends with the refusal
        queue.Retry("a", TimeSpan.FromSeconds(3)).TotalSeconds.ShouldBe(3);
        queue.Done("a");
        queue.Add("a"); // an event
        queue.AddAfter("a", TimeSpan.FromSeconds(1));
        queue.Add("b");
        (await Take()).ShouldBe("b");
        time.Advance(TimeSpan.FromSeconds(2.9));
        queue.Count.ShouldBe(0);
        time.Advance(TimeSpan.FromSeconds(0.1));
        (await Take()).ShouldBe("a");
        queue.Forget("a");
        queue.Done("a");
        queue.Add("a");
        (await Take()).ShouldBe("a");
        queue.Done("a");
        time.Advance(TimeSpan.FromMinutes(1));
        queue.Count.ShouldBe(0);
    }

    [Fact]
    public void A_failure_of_our_own_waits_for_no_event()
    {
        queue.Retry("a");
        queue.Add("a");
        queue.Count.ShouldBe(1);
    }

    [Fact]
    public void Jitter_keeps_the_wait_between_half_and_whole()
    {
        var low = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60)) { Jitter = () => 0 };
        low.After(3).TotalSeconds.ShouldBe(4);
        var any = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        Enumerable.Range(0, 200).ShouldAllBe(failures => any.After(failures) <= TimeSpan.FromSeconds(60) && any.After(failures) >= TimeSpan.FromSeconds(0.5));
    }

    private async Task<string> Take() => await queue.TakeAsync(CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
}
