using System.Threading.Channels;

namespace Flotta.ApiServer.Storage;

/// <summary>The changes of one resource after the revision at which it began. Dispose it.</summary>
internal sealed class Subscription(ObjectStore store, string resource) : IDisposable
{
    // A watcher this far behind is cut off rather than fed from memory without end; it comes back and reads the log.
    private const int Backlog = 4096;

    private readonly Channel<Change> channel = Channel.CreateBounded<Change>(
        new BoundedChannelOptions(Backlog) { SingleReader = true, SingleWriter = true, FullMode = BoundedChannelFullMode.Wait });

    public string Resource { get; } = resource;

    /// <summary>The revision at which it began: later changes arrive here.</summary>
    public long Start { get; internal set; }

    /// <summary>Ends when this watcher was too slow, or the store closes.</summary>
    public ChannelReader<Change> Changes => channel.Reader;

    /// <summary>The store's revision, when nothing before it is still waiting here; else null.</summary>
    public long? CaughtUpTo() => store.RevisionIf(() => channel.Reader.Count == 0);

    public void Dispose() => store.Unsubscribe(this);

    internal bool Offer(Change change) => channel.Writer.TryWrite(change);

    internal void End() => channel.Writer.TryComplete();
}
