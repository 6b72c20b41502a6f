using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Lifecycle;

/// <summary>Who depends on whom, by the owners' uid. Only objects that have owners take room in it.</summary>
internal sealed class OwnerIndex
{
    private readonly Dictionary<string, HashSet<ObjectKey>> dependents = new(StringComparer.Ordinal);
    private readonly Dictionary<ObjectKey, IReadOnlyList<StoredOwner>> owners = [];

    public IEnumerable<ObjectKey> All => owners.Keys;

    public void Put(ObjectKey key, IReadOnlyList<StoredOwner> of)
    {
        Remove(key);
        if (of.Count == 0)
            return;
        owners[key] = of;
        foreach (var owner in of)
        {
            if (!dependents.TryGetValue(owner.Uid, out var all))
                dependents[owner.Uid] = all = [];
            all.Add(key);
        }
    }

    public void Remove(ObjectKey key)
    {
        if (!owners.Remove(key, out var before))
            return;
        foreach (var owner in before)
        {
            if (dependents.TryGetValue(owner.Uid, out var all) && all.Remove(key) && all.Count == 0)
                dependents.Remove(owner.Uid);
        }
    }

    public IReadOnlyList<ObjectKey> DependentsOf(string uid) => dependents.TryGetValue(uid, out var all) ? [.. all] : [];
}
