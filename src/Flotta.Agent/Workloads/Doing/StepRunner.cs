using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Workloads;

/// <summary>
/// Runs the steps for one workload. Up to and including the rehearsal it can be cancelled at any time and nothing has happened to the old pod;
/// from Stop on the steps are finished (each call has its deadline), so that a shutdown leaves no device without its workload.
/// </summary>
internal sealed partial class StepRunner(PodmanClient podman, string deviceId, WorkloadFolders folders, TimeProvider time, ILogger logger)
{
    private const string Proc = "/proc";
    private const UnixFileMode Everybody = (UnixFileMode)0b111_111_111;

    public async Task<Outcome> RunAsync(WorkloadPlan plan, Action<string> report, CancellationToken cancellationToken)
    {
        string? created = null;
        try
        {
            foreach (var step in plan.Steps)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (step is Step.Stop or Step.Create)
                    cancellationToken = CancellationToken.None;
                created = await RunAsync(step, plan, created, report, cancellationToken);
            }
            if (plan.Desired is null && !plan.Steps.Any(step => step is Step.Start))
                Forget(plan.Workload);
            return Outcome.Done;
        }
        catch (StepFailedException exception)
        {
            return new Outcome(exception.Reason, exception.Message, exception.TakenBack);
        }
        catch (PodmanException exception)
        {
            var failed = StepFailedException.From(Reasons.StopFailed, exception);
            return new Outcome(failed.Reason, failed.Message);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new Outcome(Reasons.CreateFailed, PodmanSocket.OneLine(exception.Message));
        }
    }

    private async Task<string?> RunAsync(Step step, WorkloadPlan plan, string? created, Action<string> report, CancellationToken cancellationToken)
    {
        switch (step)
        {
            case Step.Pull pull:
                await new ImagePull(podman, report).RunAsync(pull.Image, plan.Desired!.RegistryAuth, cancellationToken);
                break;
            case Step.Rehearse rehearse:
                await RehearseAsync(plan.Desired!, rehearse.OldPodId, cancellationToken);
                break;
            case Step.Stop stop:
                LogStopping(logger, plan.Workload, stop.Why);
                await StopAsync(stop, cancellationToken);
                break;
            case Step.Remove remove:
                await podman.RemovePodAsync(remove.PodId, CancellationToken.None);
                break;
            case Step.Create:
                return await CreateAsync(plan.Desired!, cancellationToken);
            case Step.Start start:
                LogStarting(logger, plan.Workload, start.Why);
                await StartAsync(start, start.PodId ?? created!, plan, CancellationToken.None);
                break;
        }
        return created;
    }

    private async Task RehearseAsync(PodManifest manifest, string oldPodId, CancellationToken cancellationToken)
    {
        if (manifest.Ports.Count > 0 && HostPorts.FirstTaken(manifest.Ports, await podman.PortsOfPodAsync(oldPodId, cancellationToken)) is { } taken)
            throw new StepFailedException(Reasons.PortInUse, $"host port {taken.Port} is in use");
        var document = JsonNode.Parse(manifest.Document)!;
        var name = $"flotta-rehearsal-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}";
        document["metadata"]!["name"] = name;
        document["metadata"]!["labels"]![ObjectLabels.Rehearsal] = "true";
        try
        {
            await PrepareAsync(manifest, cancellationToken);
            await podman.PlayAsync(document.ToJsonString(), manifest.Network, cancellationToken);
        }
        catch (PodmanException exception)
        {
            throw StepFailedException.From(Reasons.CreateFailed, exception);
        }
        finally
        {
            await TryRemoveAsync(name);
        }
    }

    /// <summary>Everything that the manifest refers to on this device.</summary>
    private async Task PrepareAsync(PodManifest manifest, CancellationToken cancellationToken)
    {
        ConfigFolder.Write(folders, manifest);
        PrivateFile.CreateFolder(folders.Exports);
        // The folder above keeps everybody out; inside of the container any user may write.
        var export = Directory.CreateDirectory(folders.Export(manifest.Name));
        export.UnixFileMode = Everybody;
        foreach (var volume in manifest.Volumes)
        {
            if (!await podman.VolumeExistsAsync(volume, cancellationToken))
                await podman.CreateVolumeAsync(volume, new Dictionary<string, string>(StringComparer.Ordinal) { [ObjectLabels.Managed] = "true", [ObjectLabels.Device] = deviceId }, cancellationToken);
        }
    }

    private async Task<string> CreateAsync(PodManifest manifest, CancellationToken cancellationToken)
    {
        try
        {
            await PrepareAsync(manifest, cancellationToken);
            return await podman.PlayAsync(manifest.Document, manifest.Network, cancellationToken);
        }
        catch (PodmanException exception)
        {
            // podman leaves behind what it had made of the pod when it failed.
            await TryRemoveAsync(manifest.Name);
            throw await TakeBackAsync(manifest, StepFailedException.From(Reasons.CreateFailed, exception));
        }
    }

    private async Task StartAsync(Step.Start start, string pod, WorkloadPlan plan, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var container in start.Containers)
                await podman.StartContainerAsync(container, cancellationToken);
            if (start.Containers.Count == 0)
                await podman.StartPodAsync(pod, cancellationToken);
        }
        catch (PodmanException exception)
        {
            var failed = StepFailedException.From(Reasons.StartFailed, exception);
            throw plan.Desired is { } wanted && !start.Again ? await TakeBackAsync(wanted, failed) : failed;
        }
        if (plan.Desired is { } manifest && !start.Again)
            await RememberAsync(manifest, cancellationToken);
    }

    /// <summary>Puts the last version that ran in the place of one that does not, if there is one.</summary>
    private async Task<StepFailedException> TakeBackAsync(PodManifest manifest, StepFailedException failure)
    {
        if (failure.Reason == Reasons.PodmanUnavailable)
            return failure;
        var last = await Records.ReadAsync(folders.LastGood(manifest.Name), RecordsJson.Default.LastGood, CancellationToken.None);
        if (last is null || last.Hash == manifest.Hash)
            return failure;
        try
        {
            await TryRemoveAsync(manifest.Name);
            var pod = await podman.PlayAsync(last.Document, last.Network, CancellationToken.None);
            await podman.StartPodAsync(pod, CancellationToken.None);
            LogTakenBack(logger, manifest.Name, failure.Reason);
            return new StepFailedException(failure.Reason, $"{failure.Message}; the previous version runs on", failure) { TakenBack = true };
        }
        catch (PodmanException exception)
        {
            return new StepFailedException(failure.Reason, $"{failure.Message}; the previous version could not be put back: {exception.Message}", failure);
        }
    }

    private async Task RememberAsync(PodManifest manifest, CancellationToken cancellationToken)
    {
        var last = new LastGood(manifest.Hash, manifest.Document, manifest.Network, manifest.Volumes);
        await Records.WriteAsync(folders.LastGood(manifest.Name), last, RecordsJson.Default.LastGood, cancellationToken);
        File.Delete(folders.Failed(manifest.Name));
        ConfigFolder.KeepOnly(folders, manifest.Name, manifest.Hash);
    }

    private async Task StopAsync(Step.Stop stop, CancellationToken cancellationToken)
    {
        await podman.StopPodAsync(stop.PodId, await NoticesAsync(stop.PodId, cancellationToken) ? stop.GraceSeconds : 0, cancellationToken);
        // "stopped" becomes "exited" once podman has cleaned up behind a container; a removal that comes in between waits for three seconds.
        for (var look = 0; look < 20 && await IsBeingCleanedAsync(stop.PodId, cancellationToken); look++)
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken);
    }

    private async Task<bool> IsBeingCleanedAsync(string podId, CancellationToken cancellationToken)
    {
        var pods = await podman.ListPodsAsync(cancellationToken);
        return pods.Find(pod => pod.Id == podId)?.Containers?.Any(container => container.Status is "stopped" or "stopping") ?? false;
    }

    private async Task<bool> NoticesAsync(string podId, CancellationToken cancellationToken)
    {
        var pods = await podman.ListPodsAsync(cancellationToken);
        var pod = pods.Find(pod => pod.Id == podId);
        foreach (var container in (pod?.Containers ?? []).Where(container => container.Status == "running" && container.Id != pod!.InfraId))
        {
            var inspected = await podman.InspectContainerAsync(container.Id!, cancellationToken);
            if (TerminationSignal.IsNoticed(Proc, inspected.State?.Pid ?? 0))
                return true;
        }
        return false;
    }

    /// <summary>Only ever called with names that this runner has just tried to create, and removes only what carries our labels.</summary>
    private async Task TryRemoveAsync(string name)
    {
        try
        {
            var pods = await podman.ListPodsAsync(CancellationToken.None);
            if (pods.Select(pod => ActualPod.From(pod, deviceId)).FirstOrDefault(pod => pod.Ours && pod.Name == name) is { } ours)
                await podman.RemovePodAsync(ours.Id, CancellationToken.None);
        }
        catch (PodmanException exception)
        {
            // It carries our labels, so the next look finds it.
            LogNotRemoved(logger, name, exception.Message);
        }
    }

    /// <summary>Of a workload that is gone only what it wrote to /export stays, until deregistration.</summary>
    private void Forget(string workload)
    {
        if (WorkloadNames.IsValid(workload) && Directory.Exists(folders.Of(workload)))
            Directory.Delete(folders.Of(workload), recursive: true);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Stopping {Workload}: {Why}")]
    private static partial void LogStopping(ILogger logger, string workload, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "Starting {Workload}: {Why}")]
    private static partial void LogStarting(ILogger logger, string workload, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Took back the update of {Workload} ({Reason}); the previous version runs")]
    private static partial void LogTakenBack(ILogger logger, string workload, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pod {Pod} could not be removed yet: {Error}")]
    private static partial void LogNotRemoved(ILogger logger, string pod, string error);
}
