using Flotta.Agent.Firewall;
using Flotta.Agent.Workloads;

namespace Flotta.Agent;

/// <summary>The ports of the host that the desired workloads publish. One that cannot be rendered publishes none.</summary>
internal static class PublishedPorts
{
    public static IReadOnlyList<OpenPort> Of(DesiredWorkloads desired, string deviceId, string folder) =>
    [
        .. DesiredPod.From(desired with { MissingMounts = [] }, deviceId, new WorkloadFolders(folder))
            .Where(pod => pod.Manifest is not null)
            .SelectMany(pod => pod.Manifest!.Ports.Select(port => new OpenPort(pod.Name, port.Port, port.Udp))),
    ];
}
