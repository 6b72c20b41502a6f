using System.Text.Json.Nodes;
using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;

namespace Flotta.ApiServer.Lifecycle;

/// <summary>
/// At each start the default roles and bindings are made whole again: what is missing of rules, labels and subjects is added, what people added stays, and
/// one whose annotation says autoupdate "false" is left alone.
/// </summary>
internal sealed class FirstRoles(ObjectStore store, ResourceCatalog catalog, ObjectChanges changes)
{
    private static WriteOptions Options => new() { FieldManager = "flotta" };

    public async Task MakeAsync(CancellationToken cancellationToken)
    {
        // Together, so that they are one commit.
        await Task.WhenAll(
            DefaultRoles.ClusterRoles.Select(role => MakeAsync(AccessPolicy.ClusterRoles, role, cancellationToken))
                .Concat(DefaultRoles.ClusterRoleBindings.Select(binding => MakeAsync(AccessPolicy.ClusterRoleBindings, binding, cancellationToken))));
        await new RoleAggregation(store, catalog, changes).SettleAsync(cancellationToken);
    }

    private Task MakeAsync(string resource, JsonObject wanted, CancellationToken cancellationToken)
    {
        var served = catalog.Current.Find(resource)!;
        var key = served.Key("", wanted["metadata"].TextAt("name"));
        if (store.State.Get(key) is not { } present)
            return changes.CreateAsync(served, "", (JsonObject)wanted.DeepClone(), [], Options, cancellationToken);
        var old = Json.Object(present.Json);
        return JsonKinds.Same(old, Completed(old, wanted))
            ? Task.CompletedTask
            : changes.UpdateAsync(served, key, "", one => Completed(one, wanted), conditional: false, Options, cancellationToken);
    }

    private static JsonObject Completed(JsonObject present, JsonObject wanted)
    {
        var completed = (JsonObject)present.DeepClone();
        if (present["metadata"].TextAt("annotations", DefaultRoles.AutoUpdate) == "false")
            return completed;
        var metadata = (JsonObject)completed["metadata"]!;
        foreach (var map in (ReadOnlySpan<string>)["labels", "annotations"])
        {
            if (metadata[map] is not JsonObject)
                metadata[map] = new JsonObject();
            foreach (var (name, value) in (JsonObject)wanted["metadata"]![map]!)
                metadata[map]![name] = value!.DeepClone();
        }

        if (wanted["aggregationRule"] is { } aggregation)
        {
            if (completed["aggregationRule"] is null)
                completed["aggregationRule"] = aggregation.DeepClone();
            return completed;
        }

        var missing = RuleCover.Uncovered(PolicyRule.ListFrom(present["rules"]), PolicyRule.ListFrom(wanted["rules"]));
        Extend("rules", RuleCover.Compact(missing).Select(rule => (JsonNode)rule.ToJson()));
        Extend("subjects", wanted["subjects"].Objects().Where(one => !present["subjects"].Objects().Any(other => JsonKinds.Same(one, other))).Select(one => one.DeepClone()));
        return completed;

        void Extend(string name, IEnumerable<JsonNode> more)
        {
            foreach (var one in more)
                ((JsonArray)(completed[name] ??= new JsonArray())).Add((JsonNode?)one);
        }
    }
}
