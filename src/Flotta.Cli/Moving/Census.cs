using System.Text.Json.Nodes;
using Flotta.Kube;

namespace Flotta.Cli.Moving;

/// <summary>What is on a server, as keys and hashes: some hundred bytes for each object, however large it is.</summary>
internal sealed class Census
{
    private static readonly Dictionary<ObjectKey, Fingerprint> Nothing = [];

    private readonly Dictionary<MovedKind, Dictionary<ObjectKey, Fingerprint>> all = [];

    /// <summary>By kind, how many more there are that do not belong to the move.</summary>
    public Dictionary<MovedKind, int> Others { get; } = [];

    public IReadOnlyDictionary<ObjectKey, Fingerprint> Of(MovedKind kind) => all.GetValueOrDefault(kind, Nothing);

    public Fingerprint? Find(MovedKind kind, ObjectKey key) => Of(kind).GetValueOrDefault(key);

    public int Count => all.Values.Sum(kind => kind.Count);

    /// <summary>Of the server that things move from: what is selected. An owner that does not move is none over there.</summary>
    public static async Task<Census> SelectedAsync(KubeApi api, Selection selection, CancellationToken cancellationToken)
    {
        var census = new Census();
        foreach (var kind in Selection.Order)
            await census.ReadAsync(api, kind, document => selection.Has(kind, document), cancellationToken);
        foreach (var kind in MovedKind.All)
        {
            foreach (var (key, print) in census.all[kind].Where(one => one.Value.Owners.Count > 0).ToList())
                census.all[kind][key] = print with { Owners = [.. print.Owners.Where(owner => census.OwnerOf(key, owner) is not null)] };
        }

        return census;
    }

    /// <summary>Of the server that things move to: what has the names of the things that move.</summary>
    public static async Task<Census> SameNamesAsync(KubeApi api, Census moving, CancellationToken cancellationToken)
    {
        var census = new Census();
        foreach (var kind in MovedKind.All)
            await census.ReadAsync(api, kind, document => moving.Of(kind).ContainsKey(Document.KeyOf(document)), cancellationToken);
        return census;
    }

    /// <summary>The fingerprint of an owner, where it is here.</summary>
    public Fingerprint? OwnerOf(ObjectKey owned, Owner owner) =>
        MovedKind.All.FirstOrDefault(kind => kind.Resource.Kind == owner.Kind && kind.Resource.ApiVersion == owner.ApiVersion) is { } kind
            ? Find(kind, new(kind.Resource.Namespaced ? owned.Namespace : "", owner.Name))
            : null;

    private async Task ReadAsync(KubeApi api, MovedKind kind, Func<JsonObject, bool> wanted, CancellationToken cancellationToken)
    {
        var found = all[kind] = [];
        var others = 0;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await foreach (var document in api.DocumentsAsync(kind.Resource, null, cancellationToken))
                {
                    if (wanted(document))
                        found[Document.KeyOf(document)] = Fingerprint.Of(kind, document);
                    else
                        others++;
                }

                break;
            }
            catch (KubeException undefined) when (undefined.IsNotFound)
            {
                // A server without this kind has none of it.
                break;
            }
            catch (KubeException old) when (old.IsGone && attempt < 5)
            {
                // The list took longer than the server keeps its pages: once more from the beginning.
                found.Clear();
                others = 0;
            }
        }

        Others[kind] = others;
    }
}
