using Flotta.Agent.Firewall;
using Flotta.Agent.Workloads;

namespace Flotta.Agent;

/// <summary>The ports of the host that the desired workloads publish. One that cannot be rendered publishes none, one that is held those that it had.</summary>
internal static class PublishedPorts
{
    public static IReadOnlyList<OpenPort> Of(DesiredWorkloads desired, string deviceId, string folder) =>
    [
        .. DesiredPod.From(desired with { MissingMounts = [] }, deviceId, new WorkloadFolders(folder))
            .Where(pod => pod.Manifest is not null)
            .SelectMany(pod => pod.Manifest!.Ports.Select(port => new OpenPort(pod.Name, port.Port, port.Udp))),
        .. desired.Workloads
            .Where(workload => !string.IsNullOrEmpty(workload.Hold) && !string.IsNullOrEmpty(workload.Specification) && WorkloadNames.IsValid(workload.Name))
            .SelectMany(held => PodRenderer.PortsOf(held.Specification!).Select(port => new OpenPort(held.Name!, port.Port, port.Udp))),
    ];
}
