using System.Globalization;
using System.Runtime.InteropServices;
using Flotta.Agent.Processes;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Hooks;

/// <summary>
/// Scripts of the machine's owner around an upgrade: those in <c>before-update.d</c>, <c>after-update.d</c>, <c>before-reboot.d</c> and <c>after-reboot.d</c> of one folder, in the
/// order of their names. Run as programs with no arguments and an environment of their own; only what nobody but root could have written is run at all.
/// </summary>
internal sealed partial class HookScripts(string folder, IReadOnlyList<string> before, ILogger<HookScripts> logger)
{
    public const string Folder = "/etc/flotta/hooks";

    /// <summary>Of one script.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(5);

    /// <returns>Why not all of them ended well; null where they did, or where there are none.</returns>
    public async Task<string?> RunAsync(string stage, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var scripts = Path.Combine(folder, stage + ".d");
        if (!Directory.Exists(scripts))
            return null;
        foreach (var path in (string[])[folder, scripts])
        {
            if (Problem(path, FolderKind) is { } unsafeFolder)
                return $"{path} {unsafeFolder}";
        }

        foreach (var script in Directory.GetFileSystemEntries(scripts).Order(StringComparer.Ordinal))
        {
            var name = $"{stage}.d/{Path.GetFileName(script)}";
            // What editors and packages leave behind.
            if (Path.GetFileName(script) is ['.', ..] or [.., '~'] || name.EndsWith(".bak", StringComparison.Ordinal))
                continue;
            if (Problem(script, FileKind) is { } wrong)
                return $"{name} {wrong}";
            LogRuns(logger, name);
            IReadOnlyList<string> all = [.. before, .. before.Count > 0 ? Settings(environment) : [], script];
            var result = await Tool.RunAsync(all[0], all.Skip(1), null, Deadline, cancellationToken, environment);
            if (!result.IsOk)
                return $"{name}: {(result.Problem.Length <= 300 ? result.Problem : result.Problem[..300] + "…")}";
        }

        return null;
    }

    // A transient unit has no environment but the one that it is given.
    private static IEnumerable<string> Settings(IReadOnlyDictionary<string, string> environment) => ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", .. environment.Select(one => $"{one.Key}={one.Value}")];

    private const int FileKind = 0x8000;
    private const int FolderKind = 0x4000;

    /// <summary>Root's, and for nobody else to write; not a link, which somebody could turn.</summary>
    private static string? Problem(string path, int kind)
    {
        Span<byte> stat = stackalloc byte[256];
        const int here = -100, noFollow = 0x100, basic = 0x7ff;
        if (Statx(here, path, noFollow, basic, ref MemoryMarshal.GetReference(stat)) != 0)
            return string.Create(CultureInfo.InvariantCulture, $"cannot be looked at (errno {Marshal.GetLastPInvokeError()})");
        var owner = MemoryMarshal.Read<uint>(stat[20..]);
        var mode = MemoryMarshal.Read<ushort>(stat[28..]);
        if ((mode & 0xf000) != kind)
            return kind == FolderKind ? "is no folder" : "is no file";
        if (owner != 0)
            return "is not root's, and so is not run";
        if ((mode & 0b010_010) != 0)
            return "may be written by others than root, and so is not run";
        return kind == FileKind && (mode & 0b001_000_000) == 0 ? "is not executable: chmod +x it, or take it away" : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte stat);

    [LoggerMessage(Level = LogLevel.Information, Message = "running the hook {Name}")]
    private static partial void LogRuns(ILogger logger, string name);
}
