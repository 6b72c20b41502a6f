using System.Text.Json.Nodes;
using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Selection;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;

namespace Flotta.ApiServer.Lifecycle;

/// <summary>A ClusterRole with an aggregationRule has the rules of all that its selectors match.</summary>
internal sealed class RoleAggregation(ObjectStore store, ResourceCatalog catalog, ObjectChanges changes)
{
    private static WriteOptions Options => new() { FieldManager = "clusterrole-aggregation-controller" };

    // What one pass writes is itself a change, so roles that aggregate aggregated ones come right in the next.
    public async Task PassAsync(CancellationToken cancellationToken)
    {
        var served = catalog.Current.Find(AccessPolicy.ClusterRoles)!;
        var state = store.State;
        foreach (var one in state.Of(AccessPolicy.ClusterRoles))
        {
            var role = Json.Object(one.Json);
            if (role["aggregationRule"] is not JsonObject aggregation || StoredMetadata.Of(one).Deleting)
                continue;
            var rules = Collected(state, one, aggregation);
            if (rules.SequenceEqual(PolicyRule.ListFrom(role["rules"])))
                continue;
            await WriteAsync(served, one.Key, rules, cancellationToken);
        }
    }

    /// <summary>Until nothing changes any more, or longer than any sensible chain of roles.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < 10; i++)
        {
            var before = store.State.Of(AccessPolicy.ClusterRoles);
            await PassAsync(cancellationToken);
            if (ReferenceEquals(before, store.State.Of(AccessPolicy.ClusterRoles)))
                return;
        }
    }

    private static List<PolicyRule> Collected(StoreState state, StoredObject role, JsonObject aggregation)
    {
        var rules = new List<PolicyRule>();
        var seen = new HashSet<PolicyRule>();
        foreach (var selector in aggregation["clusterRoleSelectors"].Objects().Select(ObjectSelectorText.Parse).OfType<LabelSelector>())
        {
            foreach (var other in state.Of(AccessPolicy.ClusterRoles).Where(other => other.Key.Name != role.Key.Name && selector.Matches(StoredMetadata.Of(other).Labels)))
                rules.AddRange(PolicyRule.ListFrom(Json.Object(other.Json)["rules"]).Where(seen.Add));
        }

        return rules;
    }

    private async Task WriteAsync(ServedResource served, ObjectKey key, List<PolicyRule> rules, CancellationToken cancellationToken)
    {
        try
        {
            await changes.UpdateAsync(served, key, "", present => With(present, rules), conditional: false, Options, cancellationToken);
        }
        catch (StatusException e) when (e.Status.Code is 404 or 409)
        {
            // Its change or end brings the next pass.
        }
    }

    private static JsonObject With(JsonObject role, List<PolicyRule> rules)
    {
        var changed = (JsonObject)role.DeepClone();
        changed["rules"] = new JsonArray([.. rules.Select(rule => (JsonNode)rule.ToJson())]);
        return changed;
    }
}

/// <summary>A label selector that is an object (matchLabels, matchExpressions) as one in text.</summary>
internal static class ObjectSelectorText
{
    /// <summary>Null: it cannot be read, and selects nothing.</summary>
    public static LabelSelector? Parse(JsonObject selector)
    {
        var terms = (selector["matchLabels"] as JsonObject ?? []).Select(label => $"{label.Key}={label.Value.AsText()}").ToList();
        foreach (var expression in selector["matchExpressions"].Objects())
        {
            var (key, values) = (expression.TextAt("key"), string.Join(',', expression["values"].Texts()));
            terms.Add(expression.TextAt("operator") switch
            {
                "In" => $"{key} in ({values})", "NotIn" => $"{key} notin ({values})", "Exists" => key, "DoesNotExist" => "!" + key, _ => "!!",
            });
        }

        try
        {
            return LabelSelector.Parse(string.Join(',', terms));
        }
        catch (SelectorException)
        {
            return null;
        }
    }
}
