namespace Flotta.EdgeApi.Sessions;

/// <summary>A bucket of requests that fills steadily. Keyed by whoever asks, never by address: a thousand devices sit behind one NAT.</summary>
internal sealed class RateLimit(int perSecond, int burst, TimeProvider time)
{
    private readonly Lock gate = new();
    private double left = burst;
    private long at = time.GetTimestamp();

    public bool TryTake()
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            left = Math.Min(burst, left + (time.GetElapsedTime(at, now).TotalSeconds * perSecond));
            at = now;
            if (left < 1)
                return false;
            left--;
            return true;
        }
    }
}
