namespace Flotta.Agent.Workloads;

/// <summary>Reads what podman has. Containers of ours that have ended are asked how.</summary>
internal static class Observation
{
    public static async Task<IReadOnlyList<ActualPod>> ReadAsync(PodmanClient podman, string deviceId, CancellationToken cancellationToken)
    {
        var pods = new List<ActualPod>();
        foreach (var listed in await podman.ListPodsAsync(cancellationToken))
        {
            var pod = ActualPod.From(listed, deviceId);
            pods.Add(pod.Ours && pod.Containers.Any(container => container.Ended) ? await WithEndsAsync(pod, podman, cancellationToken) : pod);
        }
        return pods;
    }

    private static async Task<ActualPod> WithEndsAsync(ActualPod pod, PodmanClient podman, CancellationToken cancellationToken)
    {
        var containers = new List<ActualContainer>();
        foreach (var container in pod.Containers)
            containers.Add(container.Ended ? await WithEndAsync(container, podman, cancellationToken) : container);
        return pod with { Containers = containers };
    }

    private static async Task<ActualContainer> WithEndAsync(ActualContainer container, PodmanClient podman, CancellationToken cancellationToken)
    {
        try
        {
            var inspected = await podman.InspectContainerAsync(container.Id, cancellationToken);
            return container with { ExitCode = inspected.State?.ExitCode, OutOfMemory = inspected.State?.OOMKilled ?? false };
        }
        catch (PodmanException exception) when (!exception.Unreachable)
        {
            // Gone since it was listed: the next look will see that.
            return container;
        }
    }
}
