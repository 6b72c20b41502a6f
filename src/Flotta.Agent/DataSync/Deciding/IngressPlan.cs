using System.Globalization;

namespace Flotta.Agent.DataSync;

internal sealed record Fetching(RemoteObject Object, string Path);

/// <summary>What comes from the bucket into one folder: a pure function of what is in the bucket, on the device and remembered.</summary>
/// <param name="Problems">Objects that are left where they are, and why.</param>
/// <param name="Bytes">What will be on the device when all is fetched.</param>
internal sealed record IngressPlan(IReadOnlyList<Fetching> Fetch, IReadOnlyList<Synced> Known, IReadOnlyList<string> Problems, long Bytes)
{
    /// <param name="most">How much may be on the device; null is as much as fits.</param>
    /// <param name="already">What other routes of the workload have there.</param>
    public static IngressPlan Of(
        DataRoute route,
        IReadOnlyList<RemoteObject> objects,
        Func<string, string, Synced?> remembered,
        Func<string, LocalFile?> local,
        long? most,
        long already)
    {
        var (fetch, known, problems) = (new List<Fetching>(), new List<Synced>(), new List<string>());
        var (wanted, bytes, refusals, over, overBytes) = (new List<(Fetching, long Here)>(), already, 0, 0, 0L);
        foreach (var one in objects)
        {
            if (ObjectKeys.PathOf(route, one.Key, out var refused) is not { } path)
            {
                if (refused is not null && refusals++ < 3)
                    problems.Add($"{Checksums.Short(one.Key)}: {refused}");
                continue;
            }

            if (Exclusion.Excludes(route.Exclude, route.Local.Length == 0 ? path : path == route.Local ? path[(path.LastIndexOf('/') + 1)..] : path[(route.Local.Length + 1)..]))
                continue;
            var here = local(path);
            bytes += here?.Size ?? 0;
            var before = remembered(path, one.Key);
            // What the workload made of it since is the workload's.
            if (here is not null && before is not null && before.ETag == one.ETag)
                continue;
            if (here is not null && before is null && here.Size == one.Size && here.ModifiedAt >= one.LastModified)
                known.Add(new Synced(path, one.Key, here.Size, here.Modified, one.ETag));
            else
                wanted.Add((new Fetching(one, path), here?.Size ?? 0));
        }

        foreach (var (one, here) in wanted)
        {
            var after = bytes - here + one.Object.Size;
            if (after > most)
            {
                over++;
                overBytes += one.Object.Size;
                continue;
            }

            fetch.Add(one);
            bytes = after;
        }

        if (refusals > 3)
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"and {refusals - 3} more keys that are no paths"));
        if (over > 0)
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"{over} objects with {(overBytes + (1 << 20) - 1) >> 20} MiB are not fetched: at most {most >> 20} MiB may be on the device (ingressMaxMiB)"));
        return new IngressPlan(fetch, known, problems, bytes);
    }
}
