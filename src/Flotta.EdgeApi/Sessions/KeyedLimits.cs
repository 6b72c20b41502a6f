using System.Collections.Concurrent;

namespace Flotta.EdgeApi.Sessions;

/// <summary>
/// A rate limit for each of many keys that anybody may make up. There is room for so many; when it is full all of them start anew, which lets a flood of made-up keys
/// through no faster than the limit over all of them does.
/// </summary>
internal sealed class KeyedLimits(int perSecond, int burst, int capacity, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, RateLimit> limits = new(StringComparer.Ordinal);
    private int count;

    public int Count => limits.Count;

    public bool TryTake(string key)
    {
        if (limits.TryGetValue(key, out var limit))
            return limit.TryTake();
        // Counting a concurrent dictionary locks all of it.
        if (Interlocked.Increment(ref count) > capacity)
        {
            limits.Clear();
            Volatile.Write(ref count, 0);
        }

        return limits.GetOrAdd(key, _ => new RateLimit(perSecond, burst, time)).TryTake();
    }
}
