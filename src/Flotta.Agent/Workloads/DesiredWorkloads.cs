using Flotta.Wire;

namespace Flotta.Agent.Workloads;

/// <summary>What shall run, as one snapshot: the workloads and secrets of one device configuration.</summary>
public sealed record DesiredWorkloads(IReadOnlyList<Workload> Workloads, IReadOnlyList<Secret> Secrets)
{
    public static DesiredWorkloads None { get; } = new([], []);

    public static DesiredWorkloads Of(DeviceConfigurationMessage message) => new(message.Workloads ?? [], message.Secrets ?? []);
}
