namespace Flotta.Agent.Workloads;

/// <summary>Removes all that the agent made for its workloads. Images stay: nobody can tell who else wants them.</summary>
internal sealed class Farewell(PodmanClient podman, StepRunner runner, string deviceId, WorkloadFolders folders, TimeProvider time, SystemdUnits? units = null)
{
    private const int Tries = 5;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                if (units is not null)
                    await units.RemoveAllAsync(cancellationToken);
                await RemovePodsAsync(cancellationToken);
                await RemoveVolumesAsync(cancellationToken);
                break;
            }
            catch (PodmanException) when (tries < Tries)
            {
                podman.Forget();
                await Task.Delay(Backoff.After(tries, Random.Shared.NextDouble()), time, cancellationToken);
            }
        }
        Delete(folders.Workloads);
        Delete(folders.Exports);
        folders.Leave();
    }

    private async Task RemovePodsAsync(CancellationToken cancellationToken)
    {
        var pods = (await podman.ListPodsAsync(cancellationToken)).Select(pod => ActualPod.From(pod, deviceId)).Where(pod => pod.Ours);
        var outcomes = await Task.WhenAll(pods.Select(pod =>
        {
            var steps = new List<Step> { new Step.Stop(pod.Id, pod.GraceSeconds, "the device was let go"), new Step.Remove(pod.Id, pod.Name) };
            return runner.RunAsync(new WorkloadPlan(pod.Workload, null, steps), _ => { }, cancellationToken);
        }));
        if (Array.Find(outcomes, outcome => outcome.Reason is not null) is { } failed)
            throw new PodmanException(failed.Message ?? failed.Reason!);
    }

    private async Task RemoveVolumesAsync(CancellationToken cancellationToken)
    {
        foreach (var volume in await podman.ListVolumesAsync($"{ObjectLabels.Device}={deviceId}", cancellationToken))
        {
            if (volume.Name is { } name && volume.Labels?.GetValueOrDefault(ObjectLabels.Managed) == "true")
                await podman.RemoveVolumeAsync(name, cancellationToken);
        }
    }

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }
}
