namespace Flotta.Wire;

/// <summary>Content of a connection-status message.</summary>
public sealed record ConnectionStatus
{
    public CanonicalFacts? CanonicalFacts { get; init; }

    /// <summary>Handler name to its features.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>? Dispatchers { get; init; }

    /// <summary><c>online</c> or <c>offline</c>.</summary>
    public string? State { get; init; }

    public IReadOnlyDictionary<string, string>? Tags { get; init; }
}

public sealed record CanonicalFacts
{
    public string? InsightsId { get; init; }

    public string? MachineId { get; init; }

    public string? BiosUuid { get; init; }

    public string? SubscriptionManagerId { get; init; }

    public IReadOnlyList<string>? IpAddresses { get; init; }

    public string? Fqdn { get; init; }

    public IReadOnlyList<string>? MacAddresses { get; init; }
}
