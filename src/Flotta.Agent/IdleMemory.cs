using System.Runtime.InteropServices;

namespace Flotta.Agent;

/// <summary>
/// Gives back what starting, enrolling and now and then a large configuration took. A collector that is never pressed keeps it for ever,
/// and on a small device that is somebody else's memory. A few milliseconds, every ten minutes.
/// </summary>
internal static partial class IdleMemory
{
    public static ITimer Watch(TimeProvider time) => time.CreateTimer(static _ => Release(), null, TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(10));

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
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimMalloc(nuint keep);
}
