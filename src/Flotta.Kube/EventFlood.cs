namespace Flotta.Kube;

/// <summary>Which Events are too many of a kind to be kept each for itself: more than ten different messages about one object for one reason within ten minutes.</summary>
internal sealed class EventFlood(TimeProvider time)
{
    private const int Apart = 10;
    private const int Remembered = 4096;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private readonly Dictionary<(string About, string Type, string Reason), (long Last, HashSet<int> Messages)> seen = [];
    private readonly Lock gate = new();

    public bool Combines((string About, string Type, string Reason) kind, string message)
    {
        lock (gate)
        {
            if (!seen.TryGetValue(kind, out var known) || time.GetElapsedTime(known.Last) > Window)
            {
                if (seen.Count >= Remembered)
                    seen.Clear(); // each kind may have ten more
                known = (0, []);
            }

            seen[kind] = (time.GetTimestamp(), known.Messages);
            // A number stands for a message: two that share one are counted as the same, which does no harm.
            var hash = message.GetHashCode(StringComparison.Ordinal);
            if (known.Messages.Contains(hash))
                return false;
            if (known.Messages.Count >= Apart)
                return true;
            known.Messages.Add(hash);
            return false;
        }
    }
}
