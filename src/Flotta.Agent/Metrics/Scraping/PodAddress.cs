using Flotta.Agent.Workloads;

namespace Flotta.Agent.Metrics;

/// <param name="Host">Where the pod's ports are reached from here.</param>
internal sealed record PodAddress(string Host, IReadOnlyList<string> Containers);

/// <summary>Where a workload is. Tests have no podman.</summary>
internal interface IPodAddresses
{
    /// <summary>Null when it does not run, or has no address.</summary>
    Task<PodAddress?> FindAsync(string workload, CancellationToken cancellationToken);
}

internal sealed class PodmanAddresses(PodmanClient podman, string deviceId) : IPodAddresses
{
    public async Task<PodAddress?> FindAsync(string workload, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var found in await podman.ListPodsAsync(cancellationToken))
            {
                var pod = ActualPod.From(found, deviceId);
                if (!pod.IsOf(workload) || !pod.InfraRunning)
                    continue;
                var infra = await podman.InspectContainerAsync(found.InfraId!, cancellationToken);
                var host = infra.HostConfig?.NetworkMode == "host" ? "127.0.0.1" : infra.NetworkSettings?.Address;
                return host is null ? null : new PodAddress(host, [.. pod.Containers.Where(one => one.Running).Select(one => Short(one.Name, pod.Name))]);
            }
        }
        catch (PodmanException)
        {
            // The workload loop says so; this only has nothing to scrape meanwhile.
        }

        return null;
    }

    // podman calls a container of a pod "<pod>-<container>".
    private static string Short(string name, string pod) => name.StartsWith(pod + "-", StringComparison.Ordinal) ? name[(pod.Length + 1)..] : name;
}
