using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Verbs;

/// <summary>Changes as they happen, one JSON document a line, from a revision on.</summary>
internal sealed class Watch(ObjectStore store, TimeProvider time, CancellationToken stopping)
{
    private const int Portion = 256;
    private static readonly TimeSpan BookmarkPeriod = TimeSpan.FromMinutes(1);

    public async Task HandleAsync(ObjectRequest request)
    {
        var form = Answer.StreamForm(request.Http);
        ListOptions.Check(request);
        var selection = ObjectSelection.From(request);
        var from = request.ResourceVersion();
        bool? initial = request.Has("sendInitialEvents") ? request.Flag("sendInitialEvents") : null;
        using var subscription = store.Subscribe(request.Served.Resource);
        var state = store.State;
        var bookmarks = request.Flag("allowWatchBookmarks");
        if (initial == true && from > state.Revision)
            throw new StatusException(Status.TooLargeVersion(from.Value, state.Revision));

        request.Http.Response.ContentType = "application/json";
        using var timeout = new CancellationTokenSource(Timeout(request), time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted, timeout.Token, stopping);
        var events = new WatchEvents(request, form, selection, request.Http.Response.BodyWriter, time);
        try
        {
            await events.FlushAsync(end.Token);
            if (initial ?? from is null or 0)
            {
                // The state may be newer than the subscription's start: what both have is skipped below.
                foreach (var one in selection.Of(state, null))
                    await events.ExistingAsync(one, end.Token);
                if (initial == true && bookmarks)
                    events.Bookmark(state.Revision, initialEventsEnd: true);
                await events.FlushAsync(end.Token);
                await FollowAsync(events, subscription, state.Revision, bookmarks, end.Token);
            }
            else if (from is null or 0 || await CatchUpAsync(events, request, from.Value, subscription.Start, end.Token))
            {
                await FollowAsync(events, subscription, subscription.Start, bookmarks, end.Token);
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested || stopping.IsCancellationRequested)
        {
            // A last bookmark spares the client what it has already passed over.
            if (bookmarks && timeout.IsCancellationRequested && !request.Aborted.IsCancellationRequested && subscription.CaughtUpTo() is { } last)
            {
                events.Bookmark(last, initialEventsEnd: false);
                await events.FlushAsync(request.Aborted);
            }
        }
    }

    /// <summary>What happened between the client's revision and the subscription. False: the client has to start over.</summary>
    private async Task<bool> CatchUpAsync(WatchEvents events, ObjectRequest request, long from, long upTo, CancellationToken cancellationToken)
    {
        // From the future: the data was put back to an older state, and the client must start over as well.
        if (from > upTo)
        {
            events.Error(Status.Expired($"too large resource version: {from}, current: {upTo}"));
            await events.FlushAsync(cancellationToken);
            return false;
        }

        while (from < upTo)
        {
            IReadOnlyList<Change>? some;
            try
            {
                some = store.History(request.Served.Resource, from, upTo, Portion);
            }
            catch (StorageException e)
            {
                events.Error(Status.Of(e));
                await events.FlushAsync(cancellationToken);
                return false;
            }

            if (some is null)
            {
                events.Error(Status.Expired($"too old resource version: {from} ({store.Compacted})"));
                await events.FlushAsync(cancellationToken);
                return false;
            }

            foreach (var change in some)
                events.Change(change);
            await events.FlushAsync(cancellationToken);
            from = some.Count < Portion ? upTo : some[^1].Object.Revision;
        }

        return true;
    }

    private async Task FollowAsync(WatchEvents events, Subscription subscription, long after, bool bookmarks, CancellationToken cancellationToken)
    {
        using var timer = bookmarks ? new PeriodicTimer(BookmarkPeriod, time) : null;
        var tick = timer?.WaitForNextTickAsync(cancellationToken).AsTask();
        var more = subscription.Changes.WaitToReadAsync(cancellationToken).AsTask();
        while (true)
        {
            if (tick is not null && await Task.WhenAny(more, tick) == tick)
            {
                await tick;
                if (subscription.CaughtUpTo() is { } revision)
                {
                    events.Bookmark(revision, initialEventsEnd: false);
                    await events.FlushAsync(cancellationToken);
                }

                tick = timer!.WaitForNextTickAsync(cancellationToken).AsTask();
                continue;
            }

            // Ended: cut off for being slow, or the server stops.
            if (!await more)
                return;
            while (subscription.Changes.TryRead(out var change))
            {
                if (change.Object.Revision <= after)
                    continue;
                events.Change(change);
                if (events.IsFull)
                    await events.FlushAsync(cancellationToken);
            }

            await events.FlushAsync(cancellationToken);
            more = subscription.Changes.WaitToReadAsync(cancellationToken).AsTask();
        }
    }

    private static TimeSpan Timeout(ObjectRequest request)
    {
        var asked = request.Number("timeoutSeconds");
        // Spread, so that watches that began together do not all come back together.
        return asked > 0 ? TimeSpan.FromSeconds(Math.Min(asked, 86400)) : TimeSpan.FromMinutes(30) * (1 + Random.Shared.NextDouble());
    }
}
