namespace Flotta.EdgeApi.LogStreams;

/// <summary>What one look at logs may take, and how many there may be.</summary>
internal sealed record LogLimits
{
    /// <summary>As many as leave a device room for its other requests, should all readers stand still.</summary>
    public int PerDevice { get; init; } = 2;

    public int PerPerson { get; init; } = 4;

    public int PerReplica { get; init; } = 200;

    public long Bytes { get; init; } = 64L << 20;

    /// <summary>Of one that follows; another is through, or is ended, in <see cref="Whole"/>.</summary>
    public TimeSpan Following { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan Whole { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>From the command until the device sends its first byte.</summary>
    public TimeSpan Arrival { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>For which a reader may stand still.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromMinutes(2);
}
