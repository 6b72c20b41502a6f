namespace Flotta.Kube;

/// <summary>Keys that are due later, on one timer. Counts in monotonic time: a clock that jumps moves nothing.</summary>
internal sealed class Delays<TKey> : IDisposable
    where TKey : notnull
{
    // Timers have an upper limit (49 days); a longer wait is waited for in parts.
    private static readonly TimeSpan Longest = TimeSpan.FromHours(12);

    private readonly TimeProvider time;
    private readonly Action<TKey> due;
    private readonly PriorityQueue<TKey, long> order = new();
    private readonly Dictionary<TKey, long> times = [];
    private readonly ITimer timer;
    private readonly Lock gate = new();

    public Delays(TimeProvider time, Action<TKey> due)
    {
        this.time = time;
        this.due = due;
        timer = time.CreateTimer(_ => Release(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Add(TKey key, TimeSpan wait)
    {
        lock (gate)
        {
            var at = time.GetTimestamp() + (long)Math.Min(wait.TotalSeconds * time.TimestampFrequency, long.MaxValue / 4d);
            if (times.TryGetValue(key, out var present) && present <= at)
                return;
            times[key] = at;
            order.Enqueue(key, at); // a later entry for the same key stays behind and is skipped when it comes up
            Arm();
        }
    }

    private void Release()
    {
        var released = new List<TKey>();
        lock (gate)
        {
            var now = time.GetTimestamp();
            while (order.TryPeek(out var key, out var at) && at <= now)
            {
                order.Dequeue();
                if (times.TryGetValue(key, out var current) && current == at && times.Remove(key))
                    released.Add(key);
            }

            Arm();
        }

        foreach (var key in released)
            due(key);
    }

    private void Arm()
    {
        if (!order.TryPeek(out _, out var at))
            return;
        var wait = time.GetElapsedTime(time.GetTimestamp(), at);
        // Rounded up: a timer that fires a hair early would find nothing due and arm itself for nothing.
        wait = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(0, Math.Min(wait.TotalMilliseconds, Longest.TotalMilliseconds))));
        timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => timer.Dispose();
}
