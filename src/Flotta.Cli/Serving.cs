namespace Flotta.Cli;

internal static class Serving
{
    /// <summary>
    /// Starting makes schemas, certificates and documents that nobody needs afterwards; a control plane that idles would keep their memory,
    /// because nothing makes the collector run. Once, while the heap is small and nobody waits.
    /// </summary>
    public static void GiveBackWhatStartingNeeded() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    /// <summary>Returns, and does not throw, on Ctrl-C or SIGTERM: stopping is what was asked for.</summary>
    public static async Task UntilAskedToStopAsync(CancellationToken cancellationToken)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (cancellationToken.Register(() => asked.TrySetResult()))
            await asked.Task;
    }
}
