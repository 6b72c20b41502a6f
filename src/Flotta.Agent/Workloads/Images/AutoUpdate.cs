using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Workloads;

/// <summary>Looks whether there is another image behind the names of a workload that wants to follow it, and brings it to the device.</summary>
internal sealed partial class AutoUpdate(PodmanClient podman, WorkloadFolders folders, PulledImages pulled, ILogger logger)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(30);

    /// <summary>Whether the workload is to be rendered anew, with what was found.</summary>
    public async Task<bool> CheckAsync(PodManifest manifest, CancellationToken cancellationToken)
    {
        var path = folders.Pins(manifest.Name);
        var before = ImagePins.Read(path);
        var (now, old) = (new Dictionary<string, string>(StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal));
        foreach (var reference in manifest.Images.Select(image => image.Reference).Distinct(StringComparer.Ordinal))
        {
            var there = before.GetValueOrDefault(reference) ?? await podman.ImageIdAsync(reference, cancellationToken);
            if (manifest.Updates == UpdateSource.Registry)
                await PullAsync(manifest, reference, cancellationToken);
            if (there is null || await podman.ImageIdAsync(reference, cancellationToken) is not { } found)
                return false;
            (old[reference], now[reference]) = (there, found);
        }
        if (now.All(pin => pin.Value == old[pin.Key]))
            return false;
        if (!await KeepGoodAsync(manifest.Name, old, cancellationToken))
            return false;
        foreach (var (reference, id) in now.Where(pin => pin.Value != old[pin.Key]))
        {
            LogFound(logger, manifest.Name, reference, id[..12]);
            // Without its name nobody else would ever remove it.
            await pulled.NoteAsync(old[reference], cancellationToken);
        }
        await ImagePins.WriteAsync(path, now);
        return true;
    }

    private async Task PullAsync(PodManifest manifest, string reference, CancellationToken cancellationToken)
    {
        try
        {
            await podman.PullAsync(reference, manifest.RegistryAuth, Deadline, cancellationToken, "newer");
        }
        catch (PodmanException exception)
        {
            // Offline, or the registry says no: what runs runs on, and the next look asks again.
            LogNotAsked(logger, manifest.Name, reference, exception.Message);
        }
    }

    /// <summary>The last good version is to mean the image that it ran with, not what its name means from now on.</summary>
    private async Task<bool> KeepGoodAsync(string workload, Dictionary<string, string> ids, CancellationToken cancellationToken)
    {
        if (await Records.ReadAsync(folders.LastGood(workload), RecordsJson.Default.LastGood, cancellationToken) is not { } good || JsonNode.Parse(good.Document) is not JsonObject document)
            return false;
        if (document.Map("spec") is not { } spec)
            return false;
        foreach (var container in spec.AllContainers())
        {
            if (container.Text("image") is { } image && ids.TryGetValue(image, out var id))
                container["image"] = id;
        }
        await Records.WriteAsync(folders.LastGood(workload), good with { Document = document.ToJsonString() }, RecordsJson.Default.LastGood, CancellationToken.None);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Workload}: {Image} is another image now ({Id})")]
    private static partial void LogFound(ILogger logger, string workload, string image, string id);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Workload}: whether {Image} has changed could not be found out: {Problem}")]
    private static partial void LogNotAsked(ILogger logger, string workload, string image, string problem);
}
