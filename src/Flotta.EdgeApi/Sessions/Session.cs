using Flotta.Kube;
using Flotta.Wire;

namespace Flotta.EdgeApi.Sessions;

/// <summary>What this replica knows in memory about one device that talks to it. About 300 bytes; nothing here has to survive a restart.</summary>
internal sealed class Session(ObjectKey device, RateLimit limit, long now)
{
    private const int MostCommands = 4;
    private readonly Lock gate = new();
    private TaskCompletionSource? news;
    private long epoch;
    private long lastSeen = now;
    private long released;
    private int holds;
    private RecordedMessage? recorded;
    private KnownVersion? version;
    private bool ended;
    private Queue<Command>? commands;

    public ObjectKey Device { get; } = device;

    /// <summary>How much more the device may ask at present.</summary>
    public RateLimit Limit { get; } = limit;

    /// <summary>Monotonic time of the last request.</summary>
    public long LastSeen => Interlocked.Read(ref lastSeen);

    /// <summary>Whether the object says (or is about to say) that the device is connected to us.</summary>
    public bool IsConnected { get; set; }

    /// <summary>Monotonic time of the last write that told so, or that it is not; whether it succeeded, the object says.</summary>
    public long ConnectedWritten { get; set; }

    /// <summary>The last certificate whose first use was to be noted, and the monotonic time of the write; whether it succeeded, the object says.</summary>
    public (string Serial, long At)? Confirming { get; set; }

    /// <summary>Counts the device's heartbeats; looked up once.</summary>
    public Prometheus.Counter.Child? Beats { get; set; }

    /// <summary>Whether these bytes are a heartbeat with the content of the last.</summary>
    public bool SaysTheSame(ReadOnlySpan<byte> body)
    {
        if (Report is not { } last || !Heartbeats.KnownBeat.TryFind(body, out var content))
            return false;
        Span<byte> hash = stackalloc byte[System.Security.Cryptography.SHA256.HashSizeInBytes];
        System.Security.Cryptography.SHA256.HashData(body[content], hash);
        return hash.SequenceEqual(last.Content);
    }

    /// <summary>What the last heartbeat that changed nothing said, and against which state of the world.</summary>
    public LastReport? Report { get; set; }

    /// <summary>Digest of the last facts about hardware that were merged; they may be a part of what is known.</summary>
    public string? Hardware { get; set; }

    /// <summary>The version of the configuration as of an epoch; see <see cref="Epoch"/>.</summary>
    public KnownVersion? Version => Volatile.Read(ref version);

    /// <summary>Replaces it; the content stays with it only where the budget allows.</summary>
    public KnownVersion Know(KnownVersion now, byte[] content, MemoryBudget budget)
    {
        if (budget.TryTake(content.Length))
            now = now with { Content = content };
        Forget(Interlocked.Exchange(ref version, now), budget);
        if (Volatile.Read(ref ended))
            Forget(Interlocked.Exchange(ref version, null), budget);
        return now;
    }

    /// <summary>The session is over; whoever still works for it leaves nothing behind.</summary>
    public void End(MemoryBudget budget)
    {
        Volatile.Write(ref ended, true);
        Forget(Interlocked.Exchange(ref version, null), budget);
    }

    private static void Forget(KnownVersion? before, MemoryBudget budget)
    {
        if (before?.Content is { } old)
            budget.Return(old.Length);
    }

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

    public void Release(long now)
    {
        Interlocked.Exchange(ref released, now);
        Interlocked.Decrement(ref holds);
    }

    /// <summary>Monotonic time at which a held request ended last.</summary>
    public long Released => Interlocked.Read(ref released);

    /// <summary>
    /// Whether the device was told that it need not repeat itself while it holds a request: the request says that it is there. Null as long as we have had no heartbeat of it:
    /// another replica may have told it so.
    /// </summary>
    public bool? IsQuiet { get; set; }

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

    /// <summary>Whether the device said, when it last asked for its configuration, that it takes commands instead.</summary>
    public bool TakesCommands { get; set; }

    /// <summary>For the next request that takes commands, or the one that is held.</summary>
    public void Ask(Command command)
    {
        TaskCompletionSource? waiting;
        lock (gate)
        {
            // Whoever asked gives up after a while; a device that never comes leaves no heap of them.
            commands ??= new Queue<Command>();
            if (commands.Count >= MostCommands)
                commands.Dequeue();
            commands.Enqueue(command);
            waiting = news;
            news = null;
        }

        waiting?.TrySetResult();
    }

    public Command? NextCommand()
    {
        lock (gate)
        {
            if (commands is null || !commands.TryDequeue(out var next))
                return null;
            if (commands.Count == 0)
                commands = null;
            return next;
        }
    }

    /// <summary>Done when something may have changed since <paramref name="known"/>, or where that matters, when there is a command.</summary>
    public Task ChangedSince(long known, bool orCommand = false)
    {
        lock (gate)
        {
            if (epoch != known || (orCommand && commands is not null))
                return Task.CompletedTask;
            news ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return news.Task;
        }
    }
}

/// <param name="Content">SHA-256 of the heartbeat's content.</param>
internal sealed record LastReport(byte[] Content, string? ResourceVersion, long Epoch);

internal sealed record KnownVersion(string Version, string? Problem, long Epoch)
{
    /// <summary>The configuration as JSON, as long as there is memory for it.</summary>
    public byte[]? Content { get; init; }

    /// <summary>Why the device's bucket is left out, if it is. Not a reason to keep the rest from the device.</summary>
    public string? Storage { get; init; }
}

internal sealed record RecordedMessage(string MessageId, int Count);
