using Flotta.Wire;

namespace Flotta.Agent.Workloads;

/// <summary>What shall run, as one snapshot: the workloads and secrets of one device configuration.</summary>
public sealed record DesiredWorkloads(IReadOnlyList<Workload> Workloads, IReadOnlyList<Secret> Secrets)
{
    /// <summary>Folders of the configuration's mounts that are not mounted (yet): a workload that wants them waits.</summary>
    public IReadOnlyList<string> MissingMounts { get; init; } = [];

    /// <summary>Folders that the agent mounts, whether they are or not: a workload that wants them cannot start before the agent.</summary>
    public IReadOnlyList<string> Mounts { get; init; } = [];

    /// <summary>An older configuration than the last: what is there is looked after, and nothing is made, changed or removed.</summary>
    public bool IsOutdated { get; init; }

    public static DesiredWorkloads None { get; } = new([], []);

    public static DesiredWorkloads Of(DeviceConfigurationMessage message) => new(message.Workloads ?? [], message.Secrets ?? []);
}
