namespace Flotta.Kube;

public sealed record ObjectCacheOptions<T>
{
    /// <summary>Null: all namespaces (or a cluster-scoped kind).</summary>
    public string? Namespace { get; init; }

    public string? LabelSelector { get; init; }

    public string? FieldSelector { get; init; }

    /// <summary>Looked up with <see cref="ObjectCache{T}.ByIndex"/>; each gives the values under which an object is found.</summary>
    public IReadOnlyDictionary<string, Func<T, IEnumerable<string>>> Indexes { get; init; } = new Dictionary<string, Func<T, IEnumerable<string>>>(StringComparer.Ordinal);

    /// <summary>What is kept of an object: drops what nobody reads. managedFields always goes.</summary>
    public Func<T, T>? Transform { get; init; }

    public int PageSize { get; init; } = 500;

    /// <summary>How long one watch lasts before it is renewed; the real duration is jittered up to twice this.</summary>
    public TimeSpan WatchDuration { get; init; } = TimeSpan.FromMinutes(5);

    public Backoff Backoff { get; init; } = Backoff.ForConnections;
}
