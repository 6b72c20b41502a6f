namespace Flotta.Agent.Connections;

/// <summary>Which of two connections has its turn, and until when: the configured one first, then the one that last worked, then the configured one again, for a moment.</summary>
/// <param name="Proved">A heartbeat was taken during this turn.</param>
internal sealed record ConnectionTurn(bool Configured, TimeSpan Since, bool First, bool Proved = false)
{
    /// <summary>How long a changed configuration has to prove itself. Longer than any reboot of a router.</summary>
    public static readonly TimeSpan Trial = TimeSpan.FromMinutes(10);

    /// <summary>While the last good one works, the configured one is looked at this often…</summary>
    public static readonly TimeSpan BetweenTrials = TimeSpan.FromHours(1);

    /// <summary>…for this long.</summary>
    public static readonly TimeSpan ShortTrial = TimeSpan.FromMinutes(1);

    public static ConnectionTurn Begin(TimeSpan now) => new(Configured: true, now, First: true);

    /// <summary>The turn that it is now. With nothing to go back to, and once the configured one has proven itself, it stays.</summary>
    public ConnectionTurn Next(bool hasOther, TimeSpan now)
    {
        if (!hasOther || (Configured && Proved))
            return this;
        return now - Since < Length ? this : new ConnectionTurn(!Configured, now, First: false);
    }

    private TimeSpan Length => Configured ? (First ? Trial : ShortTrial) : Proved ? BetweenTrials : Trial;
}
