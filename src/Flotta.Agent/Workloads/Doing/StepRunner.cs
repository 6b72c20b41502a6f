using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Workloads;

/// <summary>
/// Runs the steps for one workload. Up to and including the rehearsal it can be cancelled at any time and nothing has happened to the old pod;
/// from Stop on the steps are finished (each call has its deadline), so that a shutdown leaves no device without its workload.
/// </summary>
/// <param name="units">Null where no systemd starts workloads.</param>
internal sealed partial class StepRunner(
    PodmanClient podman, string deviceId, WorkloadFolders folders, TimeProvider time, ILogger logger, PulledImages pulled, Func<CancellationToken, Task> makeRoom, SystemdUnits? units = null)
{
    private const string Proc = "/proc";
    private const UnixFileMode Everybody = (UnixFileMode)0b111_111_111;

    public async Task<Outcome> RunAsync(WorkloadPlan plan, Action<string> report, CancellationToken cancellationToken)
    {
        string? created = null;
        try
        {
            if (await IsStartedBySystemdAsync(plan, cancellationToken))
                return Outcome.Done;
            if (units is not null && plan is { Desired: null, HasWork: true } && plan.Steps.Any(step => step is Step.Remove remove && remove.PodName == plan.Workload))
                await units.RemoveAsync(plan.Workload, cancellationToken);
            foreach (var step in plan.Steps)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (step is Step.Stop or Step.Create or Step.TakeBack)
                    cancellationToken = CancellationToken.None;
                created = await RunAsync(step, plan, created, report, cancellationToken);
            }
            if (plan.IsRemoval)
                await ForgetAsync(plan.Workload);
            return Outcome.Done;
        }
        catch (StepFailedException exception)
        {
            if (exception.ImageLost)
                File.Delete(folders.Pins(plan.Workload));
            return new Outcome(exception.Reason, exception.Message, exception.TakenBack) { ImageLost = exception.ImageLost };
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
                await new ImagePull(podman, pulled, makeRoom, report).RunAsync(pull.Image, plan.Desired!.RegistryAuth, cancellationToken);
                break;
            case Step.Rehearse rehearse:
                await RehearseAsync(plan.Desired!, rehearse.OldPodId, cancellationToken);
                break;
            case Step.Stop stop:
                LogStopping(logger, plan.Workload, stop.Why);
                await StopAsync(stop, plan.Workload, cancellationToken);
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
            case Step.StopContainer stop:
                LogStopping(logger, plan.Workload, stop.Why);
                var hung = await podman.InspectContainerAsync(stop.ContainerId, CancellationToken.None);
                await podman.StopContainerAsync(stop.ContainerId, TerminationSignal.IsNoticed(Proc, hung.State?.Pid ?? 0) ? stop.GraceSeconds : 0, CancellationToken.None);
                break;
            case Step.Prove:
                await RememberAsync(plan.Desired!, CancellationToken.None);
                break;
            case Step.TakeBack takeBack:
                await StopAsync(new Step.Stop(takeBack.PodId, takeBack.GraceSeconds, takeBack.Why), plan.Workload, CancellationToken.None);
                throw await TakeBackAsync(plan.Desired!, new StepFailedException(Reasons.RolledBack, $"the new version did not prove itself: {takeBack.Why}"));
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
        folders.Prepare(manifest.Name);
        ConfigFolder.Write(folders, manifest);
        // The folder above keeps everybody out; inside of the container any user may write.
        var export = Directory.CreateDirectory(folders.Export(manifest.Name));
        export.UnixFileMode = Everybody;
        Ownership.Give(export.FullName, folders.User);
        await EnsureVolumesAsync(manifest.Name, manifest.Volumes, manifest.InMemory, cancellationToken);
    }

    private async Task EnsureVolumesAsync(string workload, IReadOnlyList<string> claims, IReadOnlyList<MemoryVolume> inMemory, CancellationToken cancellationToken)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal) { [ObjectLabels.Managed] = "true", [ObjectLabels.Device] = deviceId };
        foreach (var volume in claims)
        {
            if (!await podman.VolumeExistsAsync(volume, cancellationToken))
                await podman.CreateVolumeAsync(volume, labels, null, cancellationToken);
        }
        labels[ObjectLabels.Workload] = workload;
        foreach (var volume in inMemory)
        {
            if (!await podman.VolumeExistsAsync(volume.Name, cancellationToken))
                await podman.CreateVolumeAsync(volume.Name, labels, volume.Options, cancellationToken);
        }
    }

    /// <summary>Volumes in memory of versions that are gone. Claims carry no workload's name: they outlive it.</summary>
    private async Task RemoveMemoryAsync(string workload, IReadOnlyList<MemoryVolume> kept)
    {
        try
        {
            foreach (var volume in await podman.ListVolumesAsync($"{ObjectLabels.Workload}={workload}", CancellationToken.None))
            {
                if (volume is { Name: { } name, Labels: { } labels } && labels.GetValueOrDefault(ObjectLabels.Device) == deviceId && !kept.Any(one => one.Name == name))
                    await podman.RemoveVolumeAsync(name, CancellationToken.None);
            }
        }
        catch (PodmanException exception)
        {
            // The next version's proof, or deregistration, finds them again.
            LogNotRemoved(logger, workload, exception.Message);
        }
    }

    private async Task<string> CreateAsync(PodManifest manifest, CancellationToken cancellationToken)
    {
        try
        {
            await PrepareAsync(manifest, cancellationToken);
            if (units is not null)
                await units.ReleaseAsync(manifest.Name, cancellationToken);
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
            if (start.Containers.Count == 0 && start.PodId is not null && units is not null)
                await units.ReleaseAsync(plan.Workload, cancellationToken);
            if (start.Containers.Count == 0)
                await podman.StartPodAsync(pod, cancellationToken);
        }
        catch (PodmanException exception) when (units is not null && start.PodId is not null && exception.Status == HttpStatusCode.NotFound)
        {
            // Its unit has taken it away: the next look makes it anew.
        }
        catch (PodmanException exception)
        {
            var failed = StepFailedException.From(Reasons.StartFailed, exception);
            throw plan.Desired is { } wanted && !start.Again ? await TakeBackAsync(wanted, failed) : failed;
        }
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
            await EnsureVolumesAsync(manifest.Name, last.Volumes, last.InMemory ?? [], CancellationToken.None);
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
        var last = new LastGood(manifest.Hash, await WithImagesAsync(manifest, cancellationToken), manifest.Network, manifest.Volumes)
        {
            InMemory = manifest.InMemory,
            Images = [.. manifest.Images.Select(image => image.Reference)],
        };
        if (units is not null)
            await units.StageAsync(manifest.Name, last, cancellationToken);
        await Records.WriteAsync(folders.LastGood(manifest.Name), last, RecordsJson.Default.LastGood, cancellationToken);
        File.Delete(folders.Failed(manifest.Name));
        ConfigFolder.KeepOnly(folders, manifest.Name, manifest.Hash);
        await RemoveMemoryAsync(manifest.Name, manifest.InMemory);
    }

    /// <summary>The document with the images that its containers run: what their names mean may change before anybody needs it again.</summary>
    private async Task<string> WithImagesAsync(PodManifest manifest, CancellationToken cancellationToken)
    {
        if (JsonNode.Parse(manifest.Document) is not JsonObject document || document.Map("spec") is not { } spec)
            return manifest.Document;
        foreach (var container in spec.AllContainers())
        {
            try
            {
                if ((await podman.InspectContainerAsync($"{manifest.Name}-{container.Text("name")}", cancellationToken)).Image is { Length: > 0 } id)
                    container["image"] = id;
            }
            catch (PodmanException)
            {
                // Gone just now: its name has to do.
            }
        }
        return document.ToJsonString();
    }

    /// <summary>The pods of this workload that systemd is about to start are started by the time this ends; then there is nothing left of the plan.</summary>
    private async Task<bool> IsStartedBySystemdAsync(WorkloadPlan plan, CancellationToken cancellationToken) =>
        units is not null
        && plan.Steps.Any(step => step is Step.Create or Step.Start { Containers.Count: 0 })
        && await units.SettleAsync(plan.Workload, cancellationToken);

    private async Task StopAsync(Step.Stop stop, string workload, CancellationToken cancellationToken)
    {
        if (units is not null && (await podman.ListPodsAsync(cancellationToken)).Exists(pod => pod.Id == stop.PodId && pod.Name == workload))
            await units.ReleaseAsync(workload, cancellationToken);
        try
        {
            await podman.StopPodAsync(stop.PodId, await NoticesAsync(stop.PodId, cancellationToken) ? stop.GraceSeconds : 0, cancellationToken);
        }
        catch (PodmanException exception) when (exception.Status == HttpStatusCode.NotFound)
        {
            // systemd has taken it away with its unit.
        }
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
    public async Task ForgetAsync(string workload)
    {
        if (!WorkloadNames.IsValid(workload))
            return;
        await RemoveMemoryAsync(workload, []);
        if (Directory.Exists(folders.Of(workload)))
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
