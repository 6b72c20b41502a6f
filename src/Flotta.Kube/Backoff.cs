namespace Flotta.Kube;

/// <summary>Exponential back-off with jitter: the n-th delay lies between half of and the whole of <c>min(Max, First · 2ⁿ)</c>.</summary>
public sealed record Backoff(TimeSpan First, TimeSpan Max)
{
    /// <summary>From 5 ms to 5 minutes: what a work queue wants.</summary>
    public static Backoff ForKeys { get; } = new(TimeSpan.FromMilliseconds(5), TimeSpan.FromMinutes(5));

    /// <summary>From half a second to 10 s: what a connection wants. Longer, and an API server that is back would find us waiting still.</summary>
    public static Backoff ForConnections { get; } = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(10));

    /// <summary>Between 0 and 1. Replaced in tests.</summary>
    public Func<double> Jitter { get; init; } = Random.Shared.NextDouble;

    public TimeSpan After(int failures)
    {
        var whole = Math.Min(Max.TotalMilliseconds, First.TotalMilliseconds * Math.Pow(2, Math.Min(Math.Max(failures, 0), 40)));
        return TimeSpan.FromMilliseconds(whole * (0.5 + (Jitter() / 2)));
    }
}
