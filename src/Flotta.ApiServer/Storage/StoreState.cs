using System.Collections.Immutable;

namespace Flotta.ApiServer.Storage;

/// <summary>Everything as of one revision. Immutable: who holds it can page through it for as long as it likes.</summary>
internal sealed record StoreState(long Revision, ImmutableDictionary<string, ImmutableSortedSet<StoredObject>> Resources)
{
    private static readonly ImmutableSortedSet<StoredObject> None = ImmutableSortedSet.Create<StoredObject>(ByName.Order);

    public static StoreState From(long revision, IEnumerable<StoredObject> objects) =>
        new(
            revision,
            objects.GroupBy(one => one.Key.Resource, StringComparer.Ordinal)
                .ToImmutableDictionary(group => group.Key, group => group.ToImmutableSortedSet(ByName.Order), StringComparer.Ordinal));

    public ImmutableSortedSet<StoredObject> Of(string resource) => Resources.GetValueOrDefault(resource, None);

    public StoredObject? Get(ObjectKey key) => Of(key.Resource).TryGetValue(StoredObject.Probe(key), out var found) && found.Json.Length > 0 ? found : null;

    /// <summary>In order, of one namespace (null: all), after a place (exclusive).</summary>
    public IEnumerable<StoredObject> List(string resource, string? @namespace, (string Namespace, string Name)? after)
    {
        var all = Of(resource);
        var start = 0;
        if (after is { } place)
        {
            start = all.IndexOf(StoredObject.Probe(new ObjectKey(resource, place.Namespace, place.Name)));
            start = start < 0 ? ~start : start + 1;
        }
        else if (@namespace is not null)
        {
            start = ~all.IndexOf(StoredObject.Probe(new ObjectKey(resource, @namespace, "")));
        }
        else
        {
            return all;
        }

        return From(all, start, @namespace);
    }

    public StoreState With(IReadOnlyList<Change> changes)
    {
        var resources = Resources.ToBuilder();
        foreach (var change in changes)
        {
            var all = resources.GetValueOrDefault(change.Object.Key.Resource, None);
            if (change.Previous is not null)
                all = all.Remove(change.Previous);
            resources[change.Object.Key.Resource] = change.Kind == ChangeKind.Deleted ? all : all.Add(change.Object);
        }

        return new StoreState(changes[^1].Object.Revision, resources.ToImmutable());
    }

    /// <summary>Of one resource, without the changes that were made to it since a revision.</summary>
    public StoreState Before(string resource, IReadOnlyList<Change> since, long revision)
    {
        var all = Of(resource).ToBuilder();
        foreach (var change in since.Reverse())
        {
            all.Remove(change.Object);
            if (change.Previous is not null)
                all.Add(change.Previous);
        }

        return new StoreState(revision, Resources.SetItem(resource, all.ToImmutable()));
    }

    private static IEnumerable<StoredObject> From(ImmutableSortedSet<StoredObject> all, int start, string? @namespace)
    {
        for (var i = start; i < all.Count; i++)
        {
            var one = all[i];
            if (@namespace is not null && one.Key.Namespace != @namespace)
                yield break;
            yield return one;
        }
    }
}
