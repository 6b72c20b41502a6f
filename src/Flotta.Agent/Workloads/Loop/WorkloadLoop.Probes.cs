using System.Globalization;

namespace Flotta.Agent.Workloads;

/// <summary>The probes of the containers that run, and what they say of them.</summary>
public sealed partial class WorkloadLoop
{
    private async Task<IReadOnlyList<ActualPod>> ProbedAsync(IReadOnlyList<ActualPod> actual, CancellationToken cancellationToken)
    {
        List<PodManifest> probed;
        lock (_lock)
            probed = [.. (_desired ?? []).Select(wanted => wanted.Manifest).OfType<PodManifest>().Where(manifest => manifest.Probes.Count > 0)];
        var watched = new List<ProbedContainer>();
        foreach (var manifest in probed)
        {
            if (actual.FirstOrDefault(pod => pod.IsOf(manifest.Name) && pod.Hash == manifest.Hash) is { InfraRunning: true } pod)
                watched.AddRange(await WatchedAsync(manifest, pod, cancellationToken));
        }
        _probes.Watch(watched, cancellationToken);
        return watched.Count == 0 ? actual : [.. actual.Select(pod => pod with { Containers = [.. pod.Containers.Select(Judged)] })];
    }

    private ActualContainer Judged(ActualContainer container) =>
        container.Running && _probes.Of(container.Id) is var verdict && verdict != ProbeVerdict.Well ? container with { Unhealthy = verdict.Unhealthy, Unready = verdict.Unready } : container;

    private async Task<List<ProbedContainer>> WatchedAsync(PodManifest manifest, ActualPod pod, CancellationToken cancellationToken)
    {
        var watched = new List<ProbedContainer>();
        try
        {
            string? host = null;
            if (_folders.User is null)
            {
                var infra = await _podman.InspectContainerAsync(pod.InfraId!, cancellationToken);
                host = infra.HostConfig?.NetworkMode == "host" ? "127.0.0.1" : infra.NetworkSettings?.Address;
            }
            foreach (var container in pod.Containers.Where(container => container.Running))
            {
                var probes = manifest.Probes.Where(probe => $"{pod.Name}-{probe.Container}" == container.Name).Select(probe => host is null ? probe.ThroughHost() : probe).ToList();
                if (probes.Count == 0)
                    continue;
                var state = (await _podman.InspectContainerAsync(container.Id, cancellationToken)).State;
                watched.Add(new ProbedContainer(container.Id, (state?.Pid ?? 0).ToString(CultureInfo.InvariantCulture), host, probes));
            }
        }
        catch (PodmanException exception) when (!exception.Unreachable)
        {
            // Gone since it was listed.
        }
        return watched;
    }
}
