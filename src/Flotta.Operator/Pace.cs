namespace Flotta.Operator;

/// <summary>
/// Lets so many through per second, after a first burst. A workload that concerns a whole fleet writes to every device; nobody waits for
/// these writes, so they must not crowd out those that somebody does wait for.
/// </summary>
internal sealed class Pace(int perSecond, TimeProvider time)
{
    private readonly TimeSpan interval = TimeSpan.FromSeconds(1) / perSecond;
    private readonly long start = time.GetTimestamp();
    private readonly Lock gate = new();
    private TimeSpan next = TimeSpan.FromSeconds(-1);

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        var wait = Reserve();
        if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancellationToken);
    }

    private TimeSpan Reserve()
    {
        lock (gate)
        {
            var now = time.GetElapsedTime(start);
            // Idle time counts, but for no more than one second's worth.
            var earliest = now - TimeSpan.FromSeconds(1);
            next = (next > earliest ? next : earliest) + interval;
            return next - now;
        }
    }
}
