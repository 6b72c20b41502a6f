using System.Text.Json.Nodes;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;

namespace Flotta.ApiServer.Lifecycle;

/// <summary>Every namespace has a service account `default`, also after somebody has deleted it.</summary>
internal sealed class DefaultAccounts(ObjectStore store, ResourceCatalog catalog, ObjectChanges changes)
{
    public const string Accounts = "serviceaccounts";

    private const string Name = "default";
    private static WriteOptions Options => new() { FieldManager = "flotta" };

    public async Task PassAsync(CancellationToken cancellationToken)
    {
        var served = catalog.Current.Find(Accounts)!;
        var state = store.State;
        var without = state.Of(KindRules.Namespaces)
            .Where(one => state.Get(served.Key(one.Key.Name, Name)) is null && !StoredMetadata.Of(one).Deleting).Select(one => one.Key.Name);
        // Together, so that they are few commits.
        foreach (var some in without.ToList().Chunk(256))
            await Task.WhenAll(some.Select(one => MakeAsync(served, one, cancellationToken)));
    }

    private async Task MakeAsync(ServedResource served, string @namespace, CancellationToken cancellationToken)
    {
        try
        {
            await changes.CreateAsync(served, @namespace, new JsonObject { ["metadata"] = new JsonObject { ["name"] = Name } }, [], Options, cancellationToken);
        }
        catch (StatusException e) when (e.Status.Code is 403 or 404 or 409)
        {
            // The namespace is going, or somebody else was faster.
        }
    }
}
