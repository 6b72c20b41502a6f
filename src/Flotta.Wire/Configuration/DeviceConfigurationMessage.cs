namespace Flotta.Wire;

/// <summary>The whole desired configuration of one device: content of the directive <c>device</c>.</summary>
public sealed record DeviceConfigurationMessage
{
    public string? DeviceId { get; init; }

    /// <summary>Opaque; from our Edge API a hash of the content, from the original a resourceVersion.</summary>
    public string? Version { get; init; }

    public DeviceConfiguration? Configuration { get; init; }

    public IReadOnlyList<Workload>? Workloads { get; init; }

    public IReadOnlyList<Secret>? Secrets { get; init; }

    public long? WorkloadsMonitoringInterval { get; init; }

    public override string ToString() => $"configuration of {DeviceId}, version {Version}";
}
