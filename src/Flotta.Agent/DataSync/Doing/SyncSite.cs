using Flotta.Agent.Duties;
using Flotta.Agent.Heartbeats;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.DataSync;

/// <summary>Where everything is.</summary>
/// <param name="Exports">The folders that containers see as /export, one for each workload.</param>
/// <param name="Folder">What is remembered.</param>
internal sealed record SyncPlaces(string Exports, string Folder)
{
    /// <summary>What is on its way in. Beside the exports, since a file has to move to its place in one step; no container sees it.</summary>
    public string Incoming => Path.Combine(Exports, ".incoming");

    public string Export(string workload) => Path.Combine(Exports, workload);

    public string Memory(string workload) => Path.Combine(Folder, workload + ".synced");

    public string Uploads(string workload) => Path.Combine(Folder, workload + ".uploads");

    /// <summary>Workloads of which something is remembered.</summary>
    public IReadOnlyList<string> Remembered() =>
        Directory.Exists(Folder) ? [.. Directory.EnumerateFiles(Folder, "*.synced").Select(file => Path.GetFileNameWithoutExtension(file)!)] : [];
}

/// <summary>What the rounds of all workloads share.</summary>
internal sealed record SyncSite(string BucketIdentity, S3Client Bucket, SyncPlaces Places, IDutyReport Report, DataStates States, TransferCounters Counters, ILogger Logger, TimeProvider Time);
