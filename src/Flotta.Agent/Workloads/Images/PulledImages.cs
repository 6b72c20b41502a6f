using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Workloads;

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(List<string>))]
internal sealed partial class PulledImagesJson : JsonSerializerContext;

/// <summary>
/// The images that this agent brought to the device, and only those: one that was there before is somebody's. What no workload and no last good
/// version wants any more goes after an hour, or at once when the disk is full; podman itself refuses to remove what a container still uses.
/// </summary>
internal sealed partial class PulledImages(PodmanClient podman, WorkloadFolders folders, ILogger logger)
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private HashSet<string> _unwanted = new(StringComparer.Ordinal);

    /// <summary>The agent brought what is behind this name.</summary>
    public async Task<bool> HasAsync(string reference, CancellationToken cancellationToken) => (await LoadAsync(cancellationToken)).Contains(reference, StringComparer.Ordinal);

    public async Task NoteAsync(string reference, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var pulled = await LoadAsync(cancellationToken);
            if (!pulled.Contains(reference, StringComparer.Ordinal))
                await SaveAsync([.. pulled, reference]);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <param name="wanted">References that the desired workloads name.</param>
    /// <param name="now">Do not wait for another look.</param>
    public async Task SweepAsync(IReadOnlySet<string> wanted, bool now, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var pulled = await LoadAsync(cancellationToken);
            if (pulled.Count == 0)
                return;
            var kept = wanted.Concat(await LastGoodAsync(cancellationToken)).ToHashSet(StringComparer.Ordinal);
            var unwanted = pulled.Where(reference => !kept.Contains(reference)).ToList();
            var gone = new List<string>();
            foreach (var reference in unwanted.Where(reference => now || _unwanted.Contains(reference)))
            {
                if (await podman.RemoveImageAsync(reference, cancellationToken))
                {
                    LogRemoved(logger, reference);
                    gone.Add(reference);
                }
            }

            _unwanted = [.. unwanted.Except(gone, StringComparer.Ordinal)];
            if (gone.Count > 0)
                await SaveAsync([.. pulled.Except(gone, StringComparer.Ordinal)]);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>What an update that fails would be taken back to.</summary>
    private async Task<IEnumerable<string>> LastGoodAsync(CancellationToken cancellationToken)
    {
        var references = new List<string>();
        foreach (var folder in Directory.Exists(folders.Workloads) ? Directory.EnumerateDirectories(folders.Workloads) : [])
        {
            if (await Records.ReadAsync(folders.LastGood(Path.GetFileName(folder)), RecordsJson.Default.LastGood, cancellationToken) is { } last && JsonNode.Parse(last.Document)?["spec"] is JsonObject spec)
                references.AddRange(spec.AllContainers().Select(container => container.Text("image")).OfType<string>().Concat(last.Images ?? []));
        }

        return references;
    }

    private async Task<List<string>> LoadAsync(CancellationToken cancellationToken) =>
        await Records.ReadAsync(folders.Images, PulledImagesJson.Default.ListString, cancellationToken) ?? [];

    private Task SaveAsync(List<string> pulled) => Records.WriteAsync(folders.Images, pulled, PulledImagesJson.Default.ListString, CancellationToken.None);

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed image {Image}: no workload wants it any more")]
    private static partial void LogRemoved(ILogger logger, string image);
}
