namespace Flotta.Kube;

/// <summary>What an Event is one of too many of.</summary>
internal enum Flooding
{
    None,

    /// <summary>Messages about one object for one reason.</summary>
    Messages,

    /// <summary>Reasons of one object.</summary>
    Reasons,
}

/// <summary>
/// Which Events are too many to be kept each for itself: more than ten different messages about one object for one reason within ten minutes, and more than twenty reasons of
/// one object within them, which a device may choose freely.
/// </summary>
internal sealed class EventFlood(TimeProvider time)
{
    private const int MessagesApart = 10;
    private const int ReasonsApart = 20;
    private const int Remembered = 4096;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, Dictionary<(string Type, string Reason), (long Last, HashSet<int> Messages)>> seen = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private int count;

    public Flooding Of(string about, string type, string reason, string message)
    {
        lock (gate)
        {
            if (Known(about, (type, reason)) is not { } messages)
                return Flooding.Reasons;
            // A number stands for a message: two that share one are counted as the same, which does no harm.
            var hash = message.GetHashCode(StringComparison.Ordinal);
            if (messages.Contains(hash))
                return Flooding.None;
            if (messages.Count >= MessagesApart)
                return Flooding.Messages;
            messages.Add(hash);
            return Flooding.None;
        }
    }

    /// <summary>The messages of a reason; null: it is one too many.</summary>
    private HashSet<int>? Known(string about, (string Type, string Reason) kind)
    {
        if (!seen.TryGetValue(about, out var kinds))
            kinds = [];
        if (!kinds.TryGetValue(kind, out var known) || IsOver(known.Last))
        {
            foreach (var old in kinds.Where(one => IsOver(one.Value.Last)).Select(one => one.Key).ToList())
            {
                kinds.Remove(old);
                count--;
            }

            if (kinds.Count >= ReasonsApart)
                return null;
            if (count >= Remembered)
            {
                // Each may have as many again.
                seen.Clear();
                kinds.Clear();
                count = 0;
            }

            seen[about] = kinds;
            count++;
            known = (0, []);
        }

        kinds[kind] = (time.GetTimestamp(), known.Messages);
        return known.Messages;
    }

    private bool IsOver(long last) => time.GetElapsedTime(last) > Window;
}
