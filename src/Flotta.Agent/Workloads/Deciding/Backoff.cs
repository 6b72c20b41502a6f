namespace Flotta.Agent.Workloads;

/// <summary>How long to wait before the next try: at once, 1 s, 2 s, … 5 min, each give or take an eighth.</summary>
internal static class Backoff
{
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>A port is freed without anybody telling, so it is asked for more often.</summary>
    public static readonly TimeSpan LongestForPorts = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LongestAfterTakingBack = TimeSpan.FromHours(6);

    /// <summary>An update that was taken back costs the old version its run each time it is tried: 5 min, 10 min, … 6 h.</summary>
    public static TimeSpan AfterTakingBack(int times) =>
        TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds * Math.Pow(2, Math.Clamp(times - 1, 0, 20)), LongestAfterTakingBack.TotalSeconds));

    /// <param name="tries">How many there were.</param>
    /// <param name="jitter">From 0 to 1.</param>
    public static TimeSpan After(int tries, double jitter) =>
        tries <= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(Math.Pow(2, Math.Min(tries, 30) - 1), Longest.TotalSeconds) * (0.875 + (jitter / 4)));
}
