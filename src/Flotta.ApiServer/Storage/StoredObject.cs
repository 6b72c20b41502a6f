namespace Flotta.ApiServer.Storage;

/// <summary>Where an object lives. Namespace is empty for what belongs to the whole cluster.</summary>
/// <param name="Resource">`secrets`, `edgedevices.management.project-flotta.io`: one for all versions of a kind.</param>
internal readonly record struct ObjectKey(string Resource, string Namespace, string Name)
{
    public override string ToString() => Namespace.Length == 0 ? $"{Resource} {Name}" : $"{Resource} {Namespace}/{Name}";
}

/// <summary>One object as it was at one revision: immutable, shared by every reader, its bytes are what goes over the wire.</summary>
internal sealed class StoredObject(ObjectKey key, long revision, byte[] json, long writtenAt)
{
    public ObjectKey Key { get; } = key;

    public long Revision { get; } = revision;

    /// <summary>UTF-8, with metadata.resourceVersion = Revision inside.</summary>
    public byte[] Json { get; } = json;

    /// <summary>Unix seconds.</summary>
    public long WrittenAt { get; } = writtenAt;

    /// <summary>Something to look up by.</summary>
    public static StoredObject Probe(ObjectKey key) => new(key, 0, [], 0);
}

/// <summary>Namespace, then name, by bytes: the order in which lists are given and continued.</summary>
internal sealed class ByName : IComparer<StoredObject>
{
    public static readonly ByName Order = new();

    public int Compare(StoredObject? x, StoredObject? y)
    {
        var byNamespace = string.CompareOrdinal(x!.Key.Namespace, y!.Key.Namespace);
        return byNamespace != 0 ? byNamespace : string.CompareOrdinal(x.Key.Name, y.Key.Name);
    }
}

internal enum ChangeKind
{
    Created = 0,
    Modified = 1,
    Deleted = 2,
}

/// <summary>One revision. Of a deletion, Object is the last state, with the deletion's revision.</summary>
internal sealed record Change(ChangeKind Kind, StoredObject Object, StoredObject? Previous);
