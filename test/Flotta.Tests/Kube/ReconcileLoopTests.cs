using System.Collections.Concurrent;
using Flotta.Kube;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Kube;

public sealed class ReconcileLoopTests
{
    private readonly FakeTimeProvider time = new();
    private readonly Backoff backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10)) { Jitter = () => 1 };

    [Fact]
    public async Task One_key_is_never_with_two_workers()
    {
        using var queue = new WorkQueue<string>(time, backoff);
        var inside = 0;
        var most = 0;
        var rounds = 0;
        await RunAsync(
            queue,
            async (_, _) =>
            {
                most = Math.Max(most, Interlocked.Increment(ref inside));
                await Task.Yield();
                Interlocked.Decrement(ref inside);
                if (Interlocked.Increment(ref rounds) < 200)
                    queue.Add("a");
                return ReconcileResult.Done;
            },
            async () =>
            {
                queue.Add("a");
                await Eventually.True(() => rounds >= 200);
            });
        most.ShouldBe(1);
    }

    [Fact]
    public async Task A_reconciler_that_throws_is_called_again_after_a_wait()
    {
        using var queue = new WorkQueue<string>(time, backoff);
        var calls = 0;
        var rounds = new ConcurrentQueue<ReconcileRound>();
        await RunAsync(
            queue,
            (_, _) => Interlocked.Increment(ref calls) < 3 ? throw new InvalidOperationException("not yet") : Task.FromResult(ReconcileResult.Done),
            async () =>
            {
                queue.Add("a");
                await Eventually.True(() => rounds.Count == 1);
                time.Advance(TimeSpan.FromSeconds(1));
                await Eventually.True(() => rounds.Count == 2);
                time.Advance(TimeSpan.FromSeconds(1.5));
                calls.ShouldBe(2);
                time.Advance(TimeSpan.FromSeconds(0.5));
                await Eventually.True(() => rounds.Count == 3);
            },
            rounds.Enqueue);
        rounds.Select(round => round.Succeeded).ShouldBe([false, false, true]);
    }

    [Fact]
    public async Task The_result_says_when_to_look_again()
    {
        using var queue = new WorkQueue<string>(time, backoff);
        var calls = 0;
        await RunAsync(
            queue,
            (_, _) =>
            {
                calls++;
                return Task.FromResult(ReconcileResult.After(TimeSpan.FromMinutes(5)));
            },
            async () =>
            {
                queue.Add("a");
                await Eventually.True(() => calls == 1);
                await Eventually.True(() =>
                {
                    time.Advance(TimeSpan.FromMinutes(1));
                    return calls == 2;
                });
            });
    }

    [Fact]
    public async Task A_round_that_hangs_is_cancelled_and_tried_again()
    {
        using var queue = new WorkQueue<string>(time, backoff);
        var calls = 0;
        await RunAsync(
            queue,
            async (_, token) =>
            {
                if (Interlocked.Increment(ref calls) == 1)
                    await Task.Delay(Timeout.InfiniteTimeSpan, token);
                return ReconcileResult.Done;
            },
            async () =>
            {
                queue.Add("a");
                await Eventually.True(() => calls == 1);
                await Eventually.True(() =>
                {
                    time.Advance(TimeSpan.FromSeconds(30));
                    return calls == 2;
                });
            });
    }

    [Fact]
    public async Task Without_the_lease_no_round_begins_and_the_key_is_kept()
    {
        using var queue = new WorkQueue<string>(time, backoff);
        var (leads, asked, calls) = (false, 0, 0);
        var loop = new ReconcileLoop<string>(
            "test",
            queue,
            (_, _) =>
            {
                calls++;
                return Task.FromResult(ReconcileResult.Done);
            },
            NullLoggerFactory.Instance,
            time,
            new ReconcileLoopOptions
            {
                MayWork = () =>
                {
                    Interlocked.Increment(ref asked);
                    return Volatile.Read(ref leads);
                },
            });
        using var stop = new CancellationTokenSource();
        var running = loop.RunAsync(stop.Token);
        queue.Add("a");
        await Eventually.True(() => asked == 1);
        calls.ShouldBe(0);
        Volatile.Write(ref leads, true);
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return calls == 1;
        });
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(10));
    }

    private async Task RunAsync(WorkQueue<string> queue, Func<string, CancellationToken, Task<ReconcileResult>> reconcile, Func<Task> story, Action<ReconcileRound>? observe = null)
    {
        using var stop = new CancellationTokenSource();
        var loop = new ReconcileLoop<string>("test", queue, reconcile, NullLoggerFactory.Instance, time, new ReconcileLoopOptions { Observe = observe });
        var running = loop.RunAsync(stop.Token);
        await story();
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(10));
    }
}
