using System.Text.Json.Nodes;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;

namespace Flotta.ApiServer.Lifecycle;

/// <summary>The namespaces that every cluster has.</summary>
internal static class FirstNamespaces
{
    public static readonly IReadOnlyList<string> Names = ["default", "kube-node-lease", "kube-public", "kube-system"];

    public static async Task MakeAsync(ObjectStore store, ResourceCatalog catalog, ObjectChanges changes, CancellationToken cancellationToken)
    {
        var served = catalog.Current.Find(KindRules.Namespaces)!;
        var absent = Names.Where(name => store.State.Get(served.Key("", name)) is null);
        // Together, so that they are one commit.
        await Task.WhenAll(absent.Select(name => changes.CreateAsync(
            served, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } }, [], new WriteOptions { FieldManager = "flotta" }, cancellationToken)));
    }
}
