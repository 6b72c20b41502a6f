using Flotta.Kube;

namespace Flotta.EdgeApi.Sessions;

/// <summary>What this replica knows in memory about one device that talks to it. About 300 bytes; nothing here has to survive a restart.</summary>
internal sealed class Session(ObjectKey device, RateLimit limit, long now)
{
    private readonly Lock gate = new();
    private TaskCompletionSource? news;
    private long epoch;
    private long lastSeen = now;
    private int holds;
    private RecordedMessage? recorded;

    public ObjectKey Device { get; } = device;

    /// <summary>How much more the device may ask at present.</summary>
    public RateLimit Limit { get; } = limit;

    /// <summary>Monotonic time of the last request.</summary>
    public long LastSeen => Interlocked.Read(ref lastSeen);

    /// <summary>Whether the object says (or is about to say) that the device is connected to us.</summary>
    public bool IsConnected { get; set; }

    /// <summary>Monotonic time of the last write that told so.</summary>
    public long ConnectedWritten { get; set; }

    /// <summary>The last certificate whose first use has been noted.</summary>
    public string? ConfirmedSerial { get; set; }

    /// <summary>What the last heartbeat that changed nothing said, and against which state of the world.</summary>
    public LastReport? Report { get; set; }

    /// <summary>The version of the configuration as of an epoch; see <see cref="Epoch"/>.</summary>
    public KnownVersion? Version { get; set; }

    /// <summary>Grows whenever something that the device's configuration depends on may have changed.</summary>
    public long Epoch => Interlocked.Read(ref epoch);

    /// <summary>How many events of a message have been recorded already.</summary>
    public int EventsOf(string? messageId) => recorded is { } last && messageId is { Length: > 0 } && string.Equals(last.MessageId, messageId, StringComparison.Ordinal) ? last.Count : 0;

    public void RecordedEvents(string? messageId, int count)
    {
        // Only what is short enough to be remembered for every device.
        if (messageId is { Length: > 0 and <= 64 })
            recorded = new(messageId, count);
    }

    /// <summary>Requests that are held open at present.</summary>
    public int Holds => Volatile.Read(ref holds);

    public bool TryHold(int most)
    {
        if (Interlocked.Increment(ref holds) <= most)
            return true;
        Interlocked.Decrement(ref holds);
        return false;
    }

    public void Release() => Interlocked.Decrement(ref holds);

    public void Seen(long at) => Interlocked.Exchange(ref lastSeen, at);

    public void Invalidate()
    {
        TaskCompletionSource? waiting;
        lock (gate)
        {
            epoch++;
            waiting = news;
            news = null;
        }

        waiting?.TrySetResult();
    }

    /// <summary>Done when something may have changed since <paramref name="known"/>.</summary>
    public Task ChangedSince(long known)
    {
        lock (gate)
        {
            if (epoch != known)
                return Task.CompletedTask;
            news ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return news.Task;
        }
    }
}

/// <param name="Content">SHA-256 of the heartbeat's content.</param>
internal sealed record LastReport(byte[] Content, string? ResourceVersion, long Epoch);

internal sealed record KnownVersion(string Version, string? Problem, long Epoch);

internal sealed record RecordedMessage(string MessageId, int Count);
