using System.Threading.Channels;

namespace Flotta.Kube;

/// <summary>
/// Keys that want to be looked at. A key waits at most once, however often it is added; while one worker has it nobody else gets it, and
/// adding it meanwhile means that it comes again afterwards.
/// </summary>
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    private readonly Channel<TKey> ready = Channel.CreateUnbounded<TKey>();
    private readonly HashSet<TKey> waiting = [];
    private readonly HashSet<TKey> working = [];
    private readonly Dictionary<TKey, int> failures = [];
    private readonly Delays<TKey> delays;
    private readonly Backoff backoff;
    private readonly Lock gate = new();

    public WorkQueue(TimeProvider time, Backoff? backoff = null)
    {
        this.backoff = backoff ?? Backoff.ForKeys;
        delays = new Delays<TKey>(time, Add);
    }

    /// <summary>How many keys wait to be taken now; those that wait for a time do not count.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return waiting.Count;
        }
    }

    public void Add(TKey key)
    {
        lock (gate)
        {
            if (waiting.Add(key) && !working.Contains(key))
                ready.Writer.TryWrite(key);
        }
    }

    /// <summary>Adds the key later. Of two times for one key the earlier counts.</summary>
    public void AddAfter(TKey key, TimeSpan wait)
    {
        if (wait <= TimeSpan.Zero)
            Add(key);
        else
            delays.Add(key, wait);
    }

    /// <summary>Adds the key after a wait that grows with each failure since the last <see cref="Forget"/>; returns the wait.</summary>
    public TimeSpan Retry(TKey key, TimeSpan? atLeast = null)
    {
        int before;
        lock (gate)
        {
            before = failures.GetValueOrDefault(key);
            failures[key] = before + 1;
        }

        var wait = backoff.After(before);
        if (atLeast > wait)
            wait = atLeast.Value;
        AddAfter(key, wait);
        return wait;
    }

    /// <summary>The key succeeded: its next failure is its first.</summary>
    public void Forget(TKey key)
    {
        lock (gate)
            failures.Remove(key);
    }

    /// <summary>Waits for a key. Whoever takes one calls <see cref="Done"/>.</summary>
    public async ValueTask<TKey> TakeAsync(CancellationToken cancellationToken)
    {
        var key = await ready.Reader.ReadAsync(cancellationToken);
        lock (gate)
        {
            waiting.Remove(key);
            working.Add(key);
        }

        return key;
    }

    public void Done(TKey key)
    {
        lock (gate)
        {
            working.Remove(key);
            if (waiting.Contains(key))
                ready.Writer.TryWrite(key);
        }
    }

    public void Dispose() => delays.Dispose();
}
