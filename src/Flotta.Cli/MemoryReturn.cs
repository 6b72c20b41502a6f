using System.Runtime.InteropServices;

namespace Flotta.Cli;

/// <summary>
/// Starting makes schemas, certificates and documents that nobody needs afterwards; a fleet that comes back leaves the memory of its handshakes behind, and people at work
/// that of their requests. A control plane that idles then would keep it all for hours, because nothing makes the collector run. Once things have become quiet it goes back
/// to the system.
/// </summary>
internal sealed partial class MemoryReturn
{
    // A full collection stops everybody meanwhile; of a larger heap that would be noticed.
    private const long LargestHeap = 512L * 1024 * 1024;
    private const long Much = 8L * 1024 * 1024;
    private const int TicksApart = 6;
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(10);

    private long _seen;
    private long _most;
    private int _ticks;

    /// <summary>Once now, while the heap is small and nobody waits, and after each busy time.</summary>
    public static ITimer Watch(TimeProvider time)
    {
        Return();
        var memory = new MemoryReturn { _seen = GC.GetTotalAllocatedBytes() };
        return time.CreateTimer(
            _ =>
            {
                if (memory.IsDue(GC.GetTotalAllocatedBytes()))
                    Return();
            },
            null,
            Tick,
            Tick);
    }

    /// <summary>Asked every ten seconds: a busy time is over when they took an eighth of what the busiest ten seconds did, since memory was given back.</summary>
    /// <param name="allocated">Bytes since the process began.</param>
    internal bool IsDue(long allocated)
    {
        var lately = allocated - _seen;
        _seen = allocated;
        _most = Math.Max(_most, lately);
        _ticks++;
        if (_most < Much || lately > _most / 8 || _ticks < TicksApart)
            return false;
        (_most, _ticks) = (0, 0);
        return true;
    }

    private static void Return()
    {
        if (GC.GetTotalMemory(forceFullCollection: false) > LargestHeap)
            return;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        try
        {
            _ = Trim(0);
        }
        catch (Exception unknown) when (unknown is EntryPointNotFoundException or DllNotFoundException)
        {
            // Another C library than glibc gives back what is free by itself.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Trim(nuint keep);
}
