namespace Flotta.Agent.DataSync;

/// <summary>Many small things at once, large ones one after the other; the first problem that concerns all of them ends it.</summary>
internal static class Transfers
{
    private const int AtOnce = 8;
    private const long Large = 4 << 20;

    /// <param name="one">Returns what is wrong with this one, null when nothing is.</param>
    /// <returns>How many failed, and the first few with their reasons.</returns>
    public static async Task<(int Failed, IReadOnlyList<string> Problems)> RunAsync<T>(IReadOnlyList<T> all, Func<T, long> size, Func<T, CancellationToken, Task<string?>> one, CancellationToken cancellationToken)
    {
        var (failed, problems) = (0, new List<string>());
        async Task DoAsync(T item, CancellationToken token)
        {
            if (await one(item, token) is not { } problem)
                return;
            lock (problems)
            {
                failed++;
                if (problems.Count < 3)
                    problems.Add(problem);
            }
        }

        var small = all.Where(item => size(item) < Large).ToList();
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            var next = -1;
            async Task WorkAsync()
            {
                try
                {
                    for (var at = Interlocked.Increment(ref next); at < small.Count; at = Interlocked.Increment(ref next))
                        await DoAsync(small[at], stop.Token);
                }
                catch
                {
                    await stop.CancelAsync();
                    throw;
                }
            }

            var workers = Enumerable.Range(0, Math.Min(AtOnce, small.Count)).Select(_ => WorkAsync()).ToList();
            await Task.WhenAll(workers).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            // The fault that ended the others, not their endings.
            foreach (var worker in workers.OrderByDescending(worker => worker.IsFaulted))
                await worker;
        }

        foreach (var item in all.Where(item => size(item) >= Large))
            await DoAsync(item, cancellationToken);
        return (failed, problems);
    }
}
