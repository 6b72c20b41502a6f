using System.Threading.Channels;

namespace Flotta.Kube;

/// <summary>
/// Keys that want to be looked at. A key waits at most once, however often it is added; while one worker has it nobody else gets it, and
/// adding it meanwhile means that it comes again afterwards. A key that the API server told to come back later comes no earlier, whatever happens meanwhile.
/// </summary>
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    private readonly Channel<TKey> ready = Channel.CreateUnbounded<TKey>();
    private readonly HashSet<TKey> waiting = [];
    private readonly HashSet<TKey> working = [];
    private readonly Dictionary<TKey, int> failures = [];
    private readonly Dictionary<TKey, (long Since, TimeSpan Wait)> asked = [];
    private readonly Delays<TKey> delays;
    private readonly Backoff backoff;
    private readonly TimeProvider time;
    private readonly Lock gate = new();

    public WorkQueue(TimeProvider time, Backoff? backoff = null)
    {
        this.time = time;
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
            if (IsPutOff(key))
                return;
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
    /// <param name="atLeast">What the API server asked for (Retry-After). Until then no event brings the key earlier.</param>
    public TimeSpan Retry(TKey key, TimeSpan? atLeast = null)
    {
        int before;
        lock (gate)
        {
            before = failures.GetValueOrDefault(key);
            failures[key] = before + 1;
            if (atLeast > TimeSpan.Zero)
                asked[key] = (time.GetTimestamp(), atLeast.Value);
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
        {
            failures.Remove(key);
            asked.Remove(key);
        }
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
            if (!waiting.Contains(key))
                return;
            if (IsPutOff(key))
                waiting.Remove(key);
            else
                ready.Writer.TryWrite(key);
        }
    }

    /// <summary>With the gate held: true when the key comes by itself once the time is over that the server asked for.</summary>
    private bool IsPutOff(TKey key)
    {
        if (!asked.TryGetValue(key, out var wish))
            return false;
        var left = wish.Wait - time.GetElapsedTime(wish.Since);
        if (left > TimeSpan.Zero)
        {
            delays.Add(key, left);
            return true;
        }

        asked.Remove(key);
        return false;
    }

    public void Dispose() => delays.Dispose();
}
