namespace Flotta.Kube;

/// <summary>Value → keys, for one index of one cache. Guarded by the cache's lock.</summary>
internal sealed class ObjectIndex<T>(Func<T, IEnumerable<string>> values)
    where T : class
{
    private readonly Dictionary<string, HashSet<ObjectKey>> keys = new(StringComparer.Ordinal);

    public IReadOnlyCollection<ObjectKey> Find(string value) => keys.TryGetValue(value, out var found) ? found : [];

    public void Replace(ObjectKey key, T? before, T? after)
    {
        if (before != null)
        {
            foreach (var value in values(before))
            {
                if (keys.TryGetValue(value, out var found) && found.Remove(key) && found.Count == 0)
                    keys.Remove(value);
            }
        }

        if (after != null)
        {
            foreach (var value in values(after))
            {
                if (!keys.TryGetValue(value, out var found))
                    keys[value] = found = [];
                found.Add(key);
            }
        }
    }
}
