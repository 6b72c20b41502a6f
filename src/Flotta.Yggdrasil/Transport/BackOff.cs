namespace Flotta.Yggdrasil.Transport;

/// <summary>Doubling pauses, each between half and all of its length, so that a fleet does not come back in step.</summary>
public sealed class BackOff(TimeSpan first, TimeSpan most, Random? random = null)
{
    private readonly Random _random = random ?? Random.Shared;
    private int _failures;

    public TimeSpan Next()
    {
        var whole = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(_failures++, 30)), most.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(whole * (0.5 + (_random.NextDouble() / 2)));
    }

    /// <summary>At least as long as the server asked for, with a little on top; a server that asks for a week gets an hour.</summary>
    public TimeSpan Next(TimeSpan? retryAfter)
    {
        var own = Next();
        if (retryAfter is not { } asked)
            return own;
        var bounded = asked > TimeSpan.FromHours(1) ? TimeSpan.FromHours(1) : asked;
        return bounded > own ? bounded + (bounded * 0.1 * _random.NextDouble()) : own;
    }

    public void Reset() => _failures = 0;

    /// <summary>The time, give or take a fraction of it.</summary>
    public static TimeSpan Around(TimeSpan time, double fraction, Random? random = null) =>
        time * (1 - fraction + (2 * fraction * (random ?? Random.Shared).NextDouble()));
}
