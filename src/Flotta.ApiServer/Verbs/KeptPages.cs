using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Verbs;

/// <summary>
/// The states that lists in pages began with, for a while, so that all pages of a list are of one revision. States share what did not change. Each is kept for the resource that
/// was listed: one that was made from the log is of the past in that alone.
/// </summary>
internal sealed class KeptPages(TimeProvider time)
{
    private const int Most = 16;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    private readonly Lock gate = new();
    private readonly LinkedList<(string Resource, StoreState State, DateTimeOffset Until)> kept = [];

    public void Keep(string resource, StoreState state)
    {
        lock (gate)
        {
            Drop(resource, state.Revision);
            kept.AddFirst((resource, state, time.GetUtcNow() + Longest));
            while (kept.Count > Most || kept.Last!.Value.Until < time.GetUtcNow())
                kept.RemoveLast();
        }
    }

    public StoreState? Find(string resource, long revision)
    {
        lock (gate)
        {
            Forget();
            return kept.FirstOrDefault(one => one.Resource == resource && one.State.Revision == revision).State;
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

    private void Drop(string resource, long revision)
    {
        for (var node = kept.First; node is not null; node = node.Next)
        {
            if (node.Value.Resource != resource || node.Value.State.Revision != revision)
                continue;
            kept.Remove(node);
            return;
        }
    }
}
