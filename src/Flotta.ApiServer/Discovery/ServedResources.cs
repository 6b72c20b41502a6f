using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Discovery;

/// <summary>What is served at one moment: the built-in kinds and those of the CRDs.</summary>
internal sealed class ServedResources
{
    public const string Definitions = "customresourcedefinitions.apiextensions.k8s.io";

    private readonly Dictionary<(string Group, string Version, string Plural), ServedResource> byPath;

    private ServedResources(ImmutableSortedSet<StoredObject> source, IReadOnlyList<ServedResource> all)
    {
        Source = source;
        All = all;
        byPath = [];
        // Built-in kinds come first, and a CRD cannot take their place.
        foreach (var one in all)
            byPath.TryAdd((one.Definition.Group, one.Definition.Version, one.Definition.Plural), one);
    }

    public IReadOnlyList<ServedResource> All { get; }

    /// <summary>The CRDs that this was made from.</summary>
    public ImmutableSortedSet<StoredObject> Source { get; }

    public ServedResource? Find(string group, string version, string plural) => byPath.GetValueOrDefault((group, version, plural));

    /// <summary>By its name in storage, in the version that it is stored in.</summary>
    public ServedResource? Find(string resource) =>
        All.FirstOrDefault(one => one.Resource == resource && one.Definition.ApiVersion == one.StorageApiVersion) ?? All.FirstOrDefault(one => one.Resource == resource);

    public static ServedResources From(ImmutableSortedSet<StoredObject> definitions, ServedResources? before)
    {
        var known = before?.All.Where(one => one.Source is not null).ToLookup(one => one.Source!);
        var builtIn = BuiltInResources.All.Select(one => new ServedResource(one) { StorageApiVersion = (one.StoredAs ?? one).ApiVersion });
        return new ServedResources(
            definitions, [.. builtIn, .. definitions.SelectMany(one => known is not null && known.Contains(one) ? known[one] : Custom(one))]);
    }

    private static IEnumerable<ServedResource> Custom(StoredObject source)
    {
        var crd = (JsonObject)JsonNode.Parse(source.Json)!;
        if (!Established(crd))
            return [];
        var storage = $"{(string)crd["spec"]!["group"]!}/{CustomResources.StorageVersion(crd)}";
        return CustomResources.Parse(crd).Select(
            one => new ServedResource(one) { StorageApiVersion = storage, Source = source, Terminating = crd["metadata"]!["deletionTimestamp"] is not null });
    }

    private static bool Established(JsonObject crd) =>
        crd["status"]?["conditions"] is JsonArray conditions
        && conditions.Any(one => (string?)one?["type"] == "Established" && (string?)one?["status"] == "True");
}

/// <summary>What is served now: made anew when a CRD has changed, by whoever asks first.</summary>
internal sealed class ResourceCatalog(ObjectStore store)
{
    private readonly Lock gate = new();
    private ServedResources? latest;

    public ServedResources Current
    {
        get
        {
            var source = store.State.Of(ServedResources.Definitions);
            var seen = Volatile.Read(ref latest);
            if (seen is not null && ReferenceEquals(seen.Source, source))
                return seen;
            lock (gate)
            {
                source = store.State.Of(ServedResources.Definitions);
                if (latest is null || !ReferenceEquals(latest.Source, source))
                    Volatile.Write(ref latest, ServedResources.From(source, latest));
                return latest!;
            }
        }
    }
}
