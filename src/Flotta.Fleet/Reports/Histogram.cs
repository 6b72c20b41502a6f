using System.Numerics;

namespace Flotta.Fleet.Reports;

/// <summary>
/// Counts of durations in buckets that are never wider than a thirty-second of what they hold (3 %), from a microsecond to an hour. Any number of threads may record;
/// nothing is allocated for it.
/// </summary>
internal sealed class Histogram
{
    private const int SubBits = 5;
    private const int Sub = 1 << SubBits;
    private const long Most = 3_600_000_000;

    private readonly long[] _counts = new long[Bucket(Most) + 1];
    private long _sum;
    private long _largest;

    public long Count => _counts.Sum();

    public TimeSpan Largest => TimeSpan.FromMicroseconds(Volatile.Read(ref _largest));

    public void Record(TimeSpan duration)
    {
        var microseconds = Math.Clamp((long)duration.TotalMicroseconds, 0, Most);
        Interlocked.Increment(ref _counts[Bucket(microseconds)]);
        Interlocked.Add(ref _sum, microseconds);
        long seen;
        while (microseconds > (seen = Volatile.Read(ref _largest)) && Interlocked.CompareExchange(ref _largest, microseconds, seen) != seen)
        {
            // Somebody recorded a larger one in between.
        }
    }

    /// <summary>What that share of all durations does not exceed, to the upper edge of its bucket; zero when there are none.</summary>
    public TimeSpan Quantile(double share)
    {
        var total = Count;
        if (total == 0)
            return TimeSpan.Zero;
        var rank = Math.Max(1, (long)Math.Ceiling(total * Math.Clamp(share, 0, 1)));
        long passed = 0;
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            passed += _counts[bucket];
            if (passed >= rank)
                return TimeSpan.FromMicroseconds(Math.Min(UpperEdge(bucket), _largest));
        }

        return Largest;
    }

    public LatencyReport Report()
    {
        var count = Count;
        return new LatencyReport
        {
            P50 = Milliseconds(Quantile(0.5)),
            P90 = Milliseconds(Quantile(0.9)),
            P99 = Milliseconds(Quantile(0.99)),
            Max = Milliseconds(Largest),
            Mean = count == 0 ? 0 : Math.Round(_sum / (double)count / 1000, 3),
        };
    }

    // Below 32 one bucket per microsecond; above, 32 buckets per doubling.
    private static int Bucket(long microseconds)
    {
        if (microseconds < Sub)
            return (int)microseconds;
        var shift = BitOperations.Log2((ulong)microseconds) - SubBits;
        return ((shift + 1) << SubBits) + (int)((microseconds >> shift) - Sub);
    }

    private static long UpperEdge(int bucket)
    {
        if (bucket < Sub)
            return bucket;
        var shift = (bucket >> SubBits) - 1;
        return (((long)(bucket & (Sub - 1)) + Sub + 1) << shift) - 1;
    }

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}
