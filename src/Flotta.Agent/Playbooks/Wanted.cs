using Flotta.Wire;

namespace Flotta.Agent.Playbooks;

/// <summary>What the configuration says of playbooks.</summary>
/// <param name="Keys">Which there are; empty is none. Null where the server does not say: then it is asked every so often.</param>
internal sealed record Wanted(IReadOnlyList<string>? Keys, TimeSpan Poll)
{
    public static readonly Wanted Nothing = new([], TimeSpan.Zero);

    private const long DefaultPeriod = 60;
    private const long ShortestPeriod = 5;

    /// <summary>Whether there is something to ask for.</summary>
    public bool IsOn => Keys is not { Count: 0 };

    /// <param name="pushes">The server tells of changes by itself, as ours does and the original does not.</param>
    public static Wanted Of(AnsibleManagerConfiguration? manager, bool pushes)
    {
        if (manager?.Executions is { Count: > 0 } keys)
            return new Wanted(keys, TimeSpan.Zero);
        if (pushes && manager?.PeriodSeconds is not > 0)
            return Nothing;
        var seconds = manager?.PeriodSeconds is > 0 and var given ? given : DefaultPeriod;
        return new Wanted(Keys: null, TimeSpan.FromSeconds(Math.Clamp(seconds, ShortestPeriod, 86_400)));
    }
}
