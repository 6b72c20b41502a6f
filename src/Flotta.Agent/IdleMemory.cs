using System.Globalization;
using System.Runtime.InteropServices;

namespace Flotta.Agent;

/// <summary>
/// Gives back what starting, enrolling and now and then a large configuration took. A collector that is never pressed keeps it for ever,
/// and on a small device that is somebody else's memory. A few milliseconds, half a minute after much was done at the latest, and every ten minutes.
/// </summary>
internal static partial class IdleMemory
{
    private const long Much = 2 * 1024 * 1024; // what idling itself allocates in ten minutes is less
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    public static ITimer Watch(TimeProvider time)
    {
        var (allocated, at, settled) = (-Much, time.GetTimestamp(), false);
        return time.CreateTimer(
            _ =>
            {
                if (GC.GetTotalAllocatedBytes() - allocated >= Much || time.GetElapsedTime(at) >= Longest)
                {
                    Release();
                    (allocated, at, settled) = (GC.GetTotalAllocatedBytes(), time.GetTimestamp(), false);
                }
                else if (!settled)
                {
                    // What was going on then still read pages of its own.
                    ReleasePages();
                    (allocated, settled) = (GC.GetTotalAllocatedBytes(), true);
                }
            },
            null,
            TimeSpan.FromSeconds(15),
            Look);
    }

    private static void Release()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        try
        {
            _ = TrimMalloc(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Another libc than glibc: it looks after itself.
        }

        ReleasePages();
    }

    /// <summary>
    /// Code and constants that starting needed and idling does not. Of files only, and only where no page was ever written (relocations are): the kernel reads again
    /// what is wanted again.
    /// </summary>
    private static void ReleasePages()
    {
        try
        {
            foreach (var (start, length) in Unwritten(File.ReadLines("/proc/self/smaps")))
                _ = Advise(start, length, DoNotNeed);
        }
        catch (IOException)
        {
            // No /proc: it stays as large as it is.
        }
    }

    /// <summary>Mappings of files that cannot be written, and of which the process has no page of its own.</summary>
    /// <param name="smaps">Lines as proc(5) describes them.</param>
    internal static IEnumerable<(nuint Start, nuint Length)> Unwritten(IEnumerable<string> smaps)
    {
        (nuint Start, nuint Length)? mapping = null;
        foreach (var line in smaps)
        {
            // Two dozen lines of attributes, whose names begin with a capital, follow each line of a mapping: only the latter are taken apart.
            if (line is [>= 'A' and <= 'Z', ..])
            {
                if (IsOwn(line))
                    mapping = null;
                else if (mapping is { } unwritten && line.StartsWith("VmFlags:", StringComparison.Ordinal))
                    yield return unwritten;
            }
            else
            {
                mapping = line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var range, "r-xp" or "r--p", _, _, _, ['/', ..], ..] && range.Split('-') is [var from, var to]
                    && nuint.TryParse(from, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var start) && nuint.TryParse(to, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end)
                    ? (start, end - start)
                    : null;
            }
        }
    }

    private static bool IsOwn(string attribute) =>
        (attribute.StartsWith("Anonymous:", StringComparison.Ordinal) || attribute.StartsWith("Swap:", StringComparison.Ordinal) || attribute.StartsWith("Locked:", StringComparison.Ordinal))
        && !attribute.EndsWith(" 0 kB", StringComparison.Ordinal);

    private const int DoNotNeed = 4;

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nuint start, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimMalloc(nuint keep);
}
