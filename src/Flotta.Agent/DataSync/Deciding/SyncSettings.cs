using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.Agent.DataSync;

/// <summary>One pair of places.</summary>
/// <param name="Local">Below /export, without slashes around it; empty for all of it.</param>
/// <param name="Remote">The first part of the keys, without slashes around it; empty for the whole bucket.</param>
internal sealed record DataRoute(string Local, string Remote, IReadOnlyList<string> Exclude)
{
    /// <summary>A single file goes below the target rather than becoming it.</summary>
    public bool IntoFolder { get; init; }
}

/// <summary>What one workload exchanges with the bucket.</summary>
internal sealed record WorkloadData(string Name, IReadOnlyList<DataRoute> Egress, IReadOnlyList<DataRoute> Ingress)
{
    public long? IngressBytes { get; init; }

    /// <summary>Null: as things change.</summary>
    public TimeSpan? Interval { get; init; }
}

/// <summary>What the configuration says of the data synchronisation, checked and with its defaults: a pure function of it.</summary>
internal sealed record SyncSettings(S3Storage Storage, long? BytesPerSecond, SyncSchedule Schedule, IReadOnlyList<WorkloadData> Workloads)
{
    /// <summary>What was asked for and cannot be, for people.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>The part that concerns it; null when there is no bucket, or nothing to exchange with it.</summary>
    /// <param name="leftovers">Workloads that are gone may have left something to be sent or tidied up.</param>
    public static DeviceConfigurationMessage? Slice(DeviceConfigurationMessage configuration, bool leftovers)
    {
        if (configuration.Configuration?.Storage is not { S3: not null } storage)
            return null;
        var workloads = (configuration.Workloads ?? [])
            .Where(workload => workload.Data is { Egress.Count: > 0 } or { Ingress.Count: > 0 } && WorkloadNames.IsValid(workload.Name))
            .DistinctBy(workload => workload.Name, StringComparer.Ordinal)
            .Select(workload => new Workload { Name = workload.Name, Data = workload.Data })
            .ToList();
        return workloads.Count == 0 && !leftovers ? null : new DeviceConfigurationMessage { Configuration = new DeviceConfiguration { Storage = storage }, Workloads = workloads };
    }

    public static SyncSettings Of(DeviceConfigurationMessage slice)
    {
        var storage = slice.Configuration!.Storage!;
        var problems = new List<string>();
        var workloads = (slice.Workloads ?? []).Select(workload => Of(workload, problems)).ToList();
        return new SyncSettings(storage.S3!, storage.MaxKibPerSecond is > 0 and var limit ? Math.Min(limit, int.MaxValue) << 10 : null, SyncSchedule.Of(storage.Schedule, problems), workloads) { Problems = problems };
    }

    /// <summary>Null when it would leave its place.</summary>
    public static string? Place(string? path)
    {
        var names = (path ?? "").Split('/').Where(name => name is not ("" or ".")).ToList();
        return names.Contains("..", StringComparer.Ordinal) || names.Exists(name => name.Contains('\0', StringComparison.Ordinal)) ? null : string.Join('/', names);
    }

    private static WorkloadData Of(Workload workload, List<string> problems)
    {
        var data = workload.Data!;
        return new WorkloadData(workload.Name!, Routes(data.Egress, egress: true), Routes(data.Ingress, egress: false))
        {
            IngressBytes = data.IngressMaxMib is > 0 and var mebibytes ? Math.Min(mebibytes, int.MaxValue) << 20 : null,
            Interval = data.IntervalSeconds is > 0 and var seconds ? TimeSpan.FromSeconds(Math.Min(seconds, 86_400)) : null,
        };

        List<DataRoute> Routes(IReadOnlyList<DataPath>? paths, bool egress)
        {
            var routes = new List<DataRoute>();
            foreach (var path in paths ?? [])
            {
                var (local, remote) = egress ? (path.Source, path.Target) : (path.Target, path.Source);
                if (Place(local) is { } below && Place(remote) is { } prefix)
                    routes.Add(new DataRoute(below, prefix, path.Exclude ?? []) { IntoFolder = path.Target is null or "" or "." || path.Target.EndsWith('/') });
                else
                    problems.Add($"workload {workload.Name}: {path.Source} to {path.Target} leaves its place and is not synchronised");
            }

            return routes;
        }
    }
}
