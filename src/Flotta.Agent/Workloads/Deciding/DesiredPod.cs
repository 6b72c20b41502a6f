using System.Globalization;
using Flotta.Agent.Files;

namespace Flotta.Agent.Workloads;

/// <summary>One workload of the configuration: a manifest, or the reason why there is none.</summary>
internal sealed record DesiredPod(string Name, PodManifest? Manifest, string? Reason = null, string? Message = null)
{
    private const int MaxShownName = 100;

    /// <summary>Renders each on its own: one that cannot be run takes no other with it.</summary>
    public static IReadOnlyList<DesiredPod> From(DesiredWorkloads desired, string deviceId, WorkloadFolders folders)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var pods = new List<DesiredPod>();
        foreach (var workload in desired.Workloads)
        {
            var name = Shown(workload.Name);
            // The first of two keeps the name; the second would only fight with it.
            if (!seen.Add(name))
                continue;
            if (!string.IsNullOrEmpty(workload.Hold))
            {
                pods.Add(new DesiredPod(name, null, Reasons.Held, PodmanSocket.OneLine(workload.Hold)));
                continue;
            }
            try
            {
                var pins = ImagePins.SourceOf(workload) == UpdateSource.None || !WorkloadNames.IsValid(workload.Name) ? null : ImagePins.Read(folders.Pins(workload.Name!));
                var manifest = PodRenderer.Render(workload, desired.Secrets, deviceId, folders, pins);
                pods.Add(desired.MissingMounts.FirstOrDefault(mount => manifest.HostPaths.Any(path => IsWithin(path, mount))) is { } missing
                    ? new DesiredPod(name, null, Reasons.MountMissing, $"it waits for {missing} to be mounted")
                    : new DesiredPod(name, manifest));
            }
            catch (ManifestException exception)
            {
                pods.Add(new DesiredPod(name, null, Reasons.InvalidSpecification, PodmanSocket.OneLine(exception.Message)));
            }
        }
        return pods;
    }

    /// <summary>Either may lead there over links.</summary>
    internal static bool IsWithin(string path, string folder)
    {
        var (full, around) = (RealPath.Of(Path.GetFullPath(path)), RealPath.Of(folder));
        return full == around || full.StartsWith(around.TrimEnd('/') + "/", StringComparison.Ordinal);
    }

    /// <summary>A name fit to be logged and reported, also when it is not fit to be used.</summary>
    private static string Shown(string? name)
    {
        if (WorkloadNames.IsValid(name))
            return name!;
        var printable = new string([.. (name ?? "").Where(letter => char.GetUnicodeCategory(letter) is not (UnicodeCategory.Control or UnicodeCategory.Surrogate or UnicodeCategory.Format))]);
        return printable.Length switch
        {
            0 => "(unnamed)",
            > MaxShownName => printable[..MaxShownName],
            _ => printable,
        };
    }
}
