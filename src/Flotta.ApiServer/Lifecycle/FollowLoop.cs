using Flotta.ApiServer.Storage;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Lifecycle;

/// <summary>Makes a pass when it begins, and again whenever one of some resources has changed; changes that come together are one.</summary>
internal sealed class FollowLoop(
    ObjectStore store, IReadOnlyList<string> resources, string work, Func<CancellationToken, Task> pass, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var wait = First;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(() => wait = First, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LifecycleLog.PassFailed(logger, e, work);
                await Task.Delay(wait * (0.5 + Random.Shared.NextDouble()), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                wait = wait * 2 < Longest ? wait * 2 : Longest;
            }
        }
    }

    // Ends when a subscription does: too many changes at once, so it begins anew.
    private async Task FollowAsync(Action passed, CancellationToken cancellationToken)
    {
        var subscriptions = resources.Select(store.Subscribe).ToList();
        try
        {
            var waiting = subscriptions.ConvertAll(one => one.Changes.WaitToReadAsync(cancellationToken).AsTask());
            while (true)
            {
                await pass(cancellationToken);
                passed();
                if (!await await Task.WhenAny(waiting))
                    return;
                for (var i = 0; i < subscriptions.Count; i++)
                {
                    while (subscriptions[i].Changes.TryRead(out _))
                    {
                    }

                    if (waiting[i].IsCompleted)
                        waiting[i] = subscriptions[i].Changes.WaitToReadAsync(cancellationToken).AsTask();
                }
            }
        }
        finally
        {
            subscriptions.ForEach(one => one.Dispose());
        }
    }
}
