namespace Flotta.ApiServer.Access.Fairness;

/// <summary>How much at once.</summary>
internal sealed record FairShareLimits
{
    /// <summary>Requests of everybody together that are worked on at the same time.</summary>
    public int Working { get; init; } = 400;

    /// <summary>Of one identity.</summary>
    public int WorkingEach { get; init; } = 200;

    /// <summary>Of one identity, that wait for their turn.</summary>
    public int WaitingEach { get; init; } = 400;

    /// <summary>Identities whose requests may wait.</summary>
    public int WaitingIdentities { get; init; } = 1000;

    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Watches of one identity. They cost memory, not work, and are no part of the other numbers.</summary>
    public int WatchesEach { get; init; } = 5000;
}

/// <summary>
/// Gives out the places at which requests are worked on. An identity has so many at once, further ones of its requests wait in a queue of their own; when all places
/// are taken, a place that becomes free goes to the identities that wait, in turn, so that a busy one waits for itself and not the others for it.
/// </summary>
internal sealed class FairShare(FairShareLimits limits, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Share> shares = new(StringComparer.Ordinal);
    private readonly LinkedList<Share> turn = new();
    private int working;

    /// <returns>Null: too much; else to be disposed of when the request is done.</returns>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    public async ValueTask<Seat?> EnterAsync(string identity, CancellationToken cancellationToken)
    {
        Waiter waiter;
        Share share;
        lock (gate)
        {
            share = ShareOf(identity);
            if (working < limits.Working && share.Working < limits.WorkingEach && share.Waiting.Count == 0)
            {
                working++;
                share.Working++;
                return new Seat(this, share, watch: false);
            }

            if (share.Waiting.Count >= limits.WaitingEach || (share.Waiting.Count == 0 && turn.Count >= limits.WaitingIdentities))
            {
                Forget(share);
                return null;
            }

            waiter = new Waiter();
            waiter.Place = share.Waiting.AddLast(waiter);
            if (share.Waiting.Count == 1)
                turn.AddLast(share.Turn);
        }

        return await WaitAsync(share, waiter, cancellationToken);
    }

    /// <returns>Null: too many.</returns>
    public Seat? EnterWatch(string identity)
    {
        lock (gate)
        {
            var share = ShareOf(identity);
            if (share.Watches >= limits.WatchesEach)
                return null;
            share.Watches++;
            return new Seat(this, share, watch: true);
        }
    }

    private async Task<Seat?> WaitAsync(Share share, Waiter waiter, CancellationToken cancellationToken)
    {
        try
        {
            await waiter.Turn.Task.WaitAsync(limits.LongestWait, time, cancellationToken);
            return new Seat(this, share, watch: false);
        }
        catch (TimeoutException)
        {
            GiveUp(share, waiter);
            return null;
        }
        catch (OperationCanceledException)
        {
            GiveUp(share, waiter);
            throw;
        }
    }

    private void GiveUp(Share share, Waiter waiter)
    {
        lock (gate)
        {
            if (waiter.Place is not { } place)
            {
                // The turn came at the same moment: it is passed on.
                Free(share);
                return;
            }

            share.Waiting.Remove(place);
            if (share.Waiting.Count == 0)
                turn.Remove(share.Turn);
            Forget(share);
        }
    }

    private void Leave(Share share, bool watch)
    {
        lock (gate)
        {
            if (watch)
            {
                share.Watches--;
                Forget(share);
            }
            else
            {
                Free(share);
            }
        }
    }

    private void Free(Share share)
    {
        working--;
        share.Working--;
        Forget(share);
        // The first in turn that may take it; whoever has its own places full keeps its turn.
        for (var next = turn.First; next is not null && working < limits.Working; next = next.Next)
        {
            var waiting = next.Value;
            if (waiting.Working >= limits.WorkingEach)
                continue;
            var waiter = waiting.Waiting.First!.Value;
            waiting.Waiting.RemoveFirst();
            waiter.Place = null;
            turn.Remove(next);
            if (waiting.Waiting.Count > 0)
                turn.AddLast(next);
            working++;
            waiting.Working++;
            waiter.Turn.TrySetResult();
            return;
        }
    }

    private Share ShareOf(string identity)
    {
        if (!shares.TryGetValue(identity, out var share))
            shares[identity] = share = new Share(identity);
        return share;
    }

    private void Forget(Share share)
    {
        if (share.Working == 0 && share.Watches == 0 && share.Waiting.Count == 0)
            shares.Remove(share.Identity);
    }

    /// <summary>A place that a request has.</summary>
    internal sealed class Seat(FairShare fairness, Share share, bool watch) : IDisposable
    {
        private bool left;

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref left, true))
                fairness.Leave(share, watch);
        }
    }

    internal sealed class Share
    {
        public Share(string identity)
        {
            Identity = identity;
            Turn = new LinkedListNode<Share>(this);
        }

        public string Identity { get; }

        public LinkedListNode<Share> Turn { get; }

        public LinkedList<Waiter> Waiting { get; } = new();

        public int Working { get; set; }

        public int Watches { get; set; }
    }

    internal sealed class Waiter
    {
        public TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Null: its turn has come.</summary>
        public LinkedListNode<Waiter>? Place { get; set; }
    }
}
