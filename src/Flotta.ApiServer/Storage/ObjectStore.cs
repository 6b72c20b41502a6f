using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Storage;

/// <summary>
/// All objects, in memory and on disk. Reads are of immutable states. Writes queue up for one loop, which commits as many as wait in one transaction (so that the
/// disk's flush is shared), shows them to readers and watchers, and only then acknowledges: nobody ever sees what could still be lost.
/// </summary>
internal sealed class ObjectStore : IAsyncDisposable
{
    /// <summary>To subscribe to changes of every resource.</summary>
    public const string AllResources = "";

    private const int Batch = 512;

    // What is undone to get there is all in memory for a moment.
    private const int LongestWayBack = 5000;

    private readonly RevisionLog log;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<Subscription>> subscriptions = new(StringComparer.Ordinal);
    private readonly Channel<Pending> queue = Channel.CreateBounded<Pending>(new BoundedChannelOptions(8192) { SingleReader = true });
    private readonly Task loop;
    private volatile StoreState state;

    private ObjectStore(RevisionLog log, ILogger logger, TimeProvider time)
    {
        this.log = log;
        this.time = time;
        this.logger = logger;
        state = StoreState.From(log.Revision, log.Current());
        loop = Task.Run(RunAsync);
    }

    public StoreState State => state;

    public long Compacted => log.Compacted;

    /// <exception cref="ApiServerStartException">See RevisionLog.Open.</exception>
    public static ObjectStore Open(string path, ILogger logger, TimeProvider time)
    {
        var opened = RevisionLog.Open(path);
        try
        {
            return new ObjectStore(opened, logger, time);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Returns once it is on the disk (or will never be). Cancelling stops the wait, not the write.</summary>
    /// <exception cref="StorageException">The disk did not take it.</exception>
    public async Task<WriteResult> WriteAsync(Write write, CancellationToken cancellationToken)
    {
        var pending = new Pending(write, 0);
        await queue.Writer.WriteAsync(pending, cancellationToken);
        return await pending.Done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Forgets history up to a revision.</summary>
    public async Task CompactAsync(long upTo, CancellationToken cancellationToken)
    {
        var pending = new Pending(null, upTo);
        await queue.Writer.WriteAsync(pending, cancellationToken);
        await pending.Done.Task.WaitAsync(cancellationToken);
    }

    public Subscription Subscribe(string resource)
    {
        var made = new Subscription(this, resource);
        lock (gate)
        {
            made.Start = state.Revision;
            if (!subscriptions.TryGetValue(resource, out var all))
                subscriptions[resource] = all = [];
            all.Add(made);
        }

        return made;
    }

    /// <summary>The next changes after a revision, from the log; null when they are no longer all there.</summary>
    public IReadOnlyList<Change>? History(string resource, long after, long upTo, int limit)
    {
        if (after < log.Compacted)
            return null;
        var found = log.Changes(resource, after, upTo, limit);
        // Compacted while reading: some may have been missed.
        return after < log.Compacted ? null : found;
    }

    /// <summary>One resource as it was at a revision; null when the history since then is no longer all there.</summary>
    public StoreState? StateAt(string resource, long revision)
    {
        var now = state;
        return History(resource, revision, now.Revision, LongestWayBack + 1) is { } since && since.Count <= LongestWayBack ? now.Before(resource, since, revision) : null;
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await loop;
        lock (gate)
        {
            foreach (var one in subscriptions.Values.SelectMany(all => all))
                one.End();
        }

        log.Dispose();
    }

    internal long? RevisionIf(Func<bool> condition)
    {
        lock (gate)
            return condition() ? state.Revision : null;
    }

    internal void Unsubscribe(Subscription subscription)
    {
        lock (gate)
        {
            if (subscriptions.TryGetValue(subscription.Resource, out var all) && all.Remove(subscription) && all.Count == 0)
                subscriptions.Remove(subscription.Resource);
        }

        subscription.End();
    }

    private async Task RunAsync()
    {
        var batch = new List<Pending>(Batch);
        while (await queue.Reader.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < Batch && queue.Reader.TryRead(out var next))
                batch.Add(next);
            Attempt(batch.FindAll(one => one.Write is not null), Commit);
            Attempt(batch.FindAll(one => one.Write is null), Compact);
        }
    }

    private void Attempt(List<Pending> some, Action<List<Pending>> what)
    {
        try
        {
            what(some);
        }
        catch (Exception e)
        {
            StorageLog.WriteFailed(logger, e, some.Count);
            foreach (var one in some)
                one.Done.TrySetException(e);
        }
    }

    private void Commit(List<Pending> batch)
    {
        var plan = WritePlan.Of(state, batch.Select(one => one.Write!), time.GetUtcNow().ToUnixTimeSeconds());
        if (plan.Changes.Count > 0)
        {
            log.Append(plan.Changes);
            Show(plan);
        }

        for (var i = 0; i < batch.Count; i++)
            batch[i].Done.TrySetResult(plan.Results[i]);
    }

    private void Compact(List<Pending> batch)
    {
        foreach (var one in batch)
        {
            log.Compact(Math.Min(one.CompactUpTo, state.Revision));
            one.Done.TrySetResult(default);
        }
    }

    private void Show(WritePlan plan)
    {
        lock (gate)
        {
            state = plan.After;
            foreach (var change in plan.Changes)
            {
                Show(change, change.Object.Key.Resource);
                Show(change, AllResources);
            }
        }
    }

    private void Show(Change change, string subscribed)
    {
        if (!subscriptions.TryGetValue(subscribed, out var all))
            return;
        for (var i = all.Count - 1; i >= 0; i--)
        {
            if (all[i].Offer(change))
                continue;
            StorageLog.WatcherCutOff(logger, change.Object.Key.Resource);
            all[i].End();
            all.RemoveAt(i);
        }
    }

    private sealed record Pending(Write? Write, long CompactUpTo)
    {
        public TaskCompletionSource<WriteResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
