namespace Flotta.EdgeApi.Heartbeats;

/// <summary>What a report is compared with.</summary>
/// <param name="Version">The version of the configuration as it is now; null when it cannot be told at the moment.</param>
/// <param name="Problem">What could not be assembled in it, if anything.</param>
/// <param name="IsPlaced">Whether a workload belongs on the device.</param>
internal sealed record ReportContext(DateTimeOffset Now, string Replica, string? Version, string? Problem, Func<string, bool> IsPlaced)
{
    /// <summary>The facts in the heartbeat are those that are stored; only their labels may have to be made good.</summary>
    public bool HardwareIsKnown { get; init; }
}
