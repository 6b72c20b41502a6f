using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Verbs;

/// <summary>The states that lists in pages began with, for a while, so that all pages of a list are of one revision. States share what did not change.</summary>
internal sealed class KeptPages(TimeProvider time)
{
    private const int Most = 16;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    private readonly Lock gate = new();
    private readonly LinkedList<(StoreState State, DateTimeOffset Until)> kept = [];

    public void Keep(StoreState state)
    {
        lock (gate)
        {
            Drop(state.Revision);
            kept.AddFirst((state, time.GetUtcNow() + Longest));
            while (kept.Count > Most || kept.Last!.Value.Until < time.GetUtcNow())
                kept.RemoveLast();
        }
    }

    public StoreState? Find(long revision)
    {
        lock (gate)
        {
            Forget();
            return kept.Select(one => one.State).FirstOrDefault(one => one.Revision == revision);
        }
    }

    /// <summary>Lets go of what is too old.</summary>
    public void Forget()
    {
        lock (gate)
        {
            while (kept.Last is { } last && last.Value.Until < time.GetUtcNow())
                kept.RemoveLast();
        }
    }

    private void Drop(long revision)
    {
        for (var node = kept.First; node is not null; node = node.Next)
        {
            if (node.Value.State.Revision != revision)
                continue;
            kept.Remove(node);
            return;
        }
    }
}
