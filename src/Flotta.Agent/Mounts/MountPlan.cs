using Flotta.Wire;

namespace Flotta.Agent.Mounts;

/// <summary>One thing to do about mounts; data, as the steps for workloads are.</summary>
internal abstract record MountStep(string Directory)
{
    public sealed record Keep(string Directory) : MountStep(Directory);

    public sealed record Attach(string Directory, string Device, string Type, string Options) : MountStep(Directory);

    public sealed record Detach(string Directory) : MountStep(Directory);

    /// <summary>It cannot be had as it is asked for.</summary>
    public sealed record Refuse(string Directory, string Why) : MountStep(Directory);
}

/// <summary>From the mounts that shall be and those that are to what is to be done: a pure function. What somebody else mounted is never touched.</summary>
internal static class MountPlan
{
    private static readonly string[] Reserved = ["/proc", "/sys", "/dev", "/run", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/tmp"];

    /// <param name="actual">In the order in which they were mounted.</param>
    /// <param name="ours">What this agent has mounted.</param>
    /// <param name="resolve">What is behind links: the device of /dev/disk/by-label/…, the folder where /mnt itself is one.</param>
    public static IReadOnlyList<MountStep> Between(IReadOnlyList<Mount> desired, IReadOnlyList<Mount> actual, IReadOnlyList<Mount> ours, Func<string, string> resolve)
    {
        var steps = new List<MountStep>();
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var mount in desired)
        {
            var directory = resolve(Normal(mount.Directory));
            if (Problem(mount, directory) is { } problem)
                steps.Add(new MountStep.Refuse(directory, problem));
            else if (!wanted.Add(directory))
                steps.Add(new MountStep.Refuse(directory, "it is there twice; the first counts"));
            else
                steps.AddRange(For(mount with { Directory = directory }, actual, ours, resolve));
        }

        // Those below others first.
        var gone = ours.Where(mount => !wanted.Contains(mount.Directory!)).Select(mount => mount.Directory!).OrderByDescending(directory => directory.Length);
        return [.. gone.Select(directory => (MountStep)new MountStep.Detach(directory)), .. steps];
    }

    private static IEnumerable<MountStep> For(Mount wanted, IReadOnlyList<Mount> actual, IReadOnlyList<Mount> ours, Func<string, string> resolve)
    {
        var directory = wanted.Directory!;
        var there = actual.LastOrDefault(mount => mount.Directory == directory);
        var own = ours.FirstOrDefault(mount => mount.Directory == directory);
        var attach = new MountStep.Attach(directory, wanted.Device!, wanted.Type!, wanted.Options ?? "");
        if (there is null)
            return [attach];
        var same = there.Type == wanted.Type && resolve(there.Device ?? "") == resolve(wanted.Device!);
        if (same && (own is null || (own.Options ?? "") == (wanted.Options ?? "")))
            return [new MountStep.Keep(directory)];
        return own is null
            ? [new MountStep.Refuse(directory, $"something else ({there.Device}) is mounted there already")]
            : [new MountStep.Detach(directory), attach];
    }

    private static string? Problem(Mount mount, string directory)
    {
        if (directory is "" or "/" || Array.Exists(Reserved, reserved => directory == reserved || directory.StartsWith(reserved + "/", StringComparison.Ordinal)))
            return "nothing is mounted there: it must be an absolute path outside of the system's own folders";
        if (mount.Device is not { Length: > 1 and <= 4096 } device || !device.StartsWith("/dev/", StringComparison.Ordinal) || device.Contains("..", StringComparison.Ordinal) || HasControl(device))
            return "the device must be a path below /dev";
        if (mount.Type is not { Length: > 0 and <= 32 } type || !type.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.'))
            return "the type is not the name of a file system";
        return mount.Options is { } options && (options.Length > 1024 || HasControl(options) || options.StartsWith('-')) ? "the options make no sense" : null;
    }

    /// <summary>Empty where the path is not absolute, or tries to lead elsewhere.</summary>
    private static string Normal(string? directory) =>
        directory is { Length: > 0 and <= 4096 } path && path[0] == '/' && !HasControl(path) && !path.Split('/').Contains("..", StringComparer.Ordinal) ? Path.GetFullPath(path).TrimEnd('/') is { Length: > 0 } full ? full : "/" : "";

    private static bool HasControl(string text) => text.Any(char.IsControl);
}
