using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Verbs;

namespace Flotta.ApiServer.Access.Rights;

/// <summary>Nobody gives others, or themselves, what they do not have: looked at when a role or a binding is written.</summary>
internal sealed class Escalation(Authorization authorization)
{
    private const string Group = "rbac.authorization.k8s.io";
    private static readonly IReadOnlyList<PolicyRule> Everything = [PolicyRule.Of("*", "*", "*"), PolicyRule.OfUrls("*", "*")];

    /// <summary>What has to be asked before each write of this kind; null: nothing.</summary>
    public Action<JsonObject, JsonObject?>? CheckOf(ServedResource served, Caller caller, string @namespace, string name)
    {
        if (caller.IsMaster || served.Definition.Group != Group)
            return null;
        return served.Definition.Kind is "Role" or "ClusterRole"
            ? (value, old) => CheckRole(served.Definition, caller, @namespace, name, value, old)
            : (value, old) => CheckBinding(served.Definition, caller, @namespace, value, old);
    }

    private void CheckRole(ResourceDefinition definition, Caller caller, string @namespace, string name, JsonObject value, JsonObject? old)
    {
        if (OnlyLetsGo(value, old) || authorization.Check(caller, Question("escalate", definition.Plural, @namespace, name)).Allowed)
            return;
        var given = PolicyRule.ListFrom(value["rules"]);
        Confirm(definition, caller, @namespace, value, given);
        // It will have the rules of roles that others write later.
        if (value["aggregationRule"] is JsonObject && RuleCover.Uncovered(authorization.Rights(caller).RulesIn(""), Everything).Count > 0)
            throw new StatusException(Status.Forbidden(definition, NameOf(value), "must have cluster-admin privileges to use the aggregationRule"));
    }

    private void CheckBinding(ResourceDefinition definition, Caller caller, string @namespace, JsonObject value, JsonObject? old)
    {
        if (OnlyLetsGo(value, old))
            return;
        var (kind, role) = (value["roleRef"].TextAt("kind"), value["roleRef"].TextAt("name"));
        if (authorization.Check(caller, Question("bind", kind.ToLowerInvariant() + "s", @namespace, role)).Allowed)
            return;
        var given = authorization.Policy.RulesOf(kind, role, @namespace)
            ?? throw new StatusException(Status.NotFound(BuiltInResources.All.First(one => one.Group == Group && one.Kind == kind), role));
        Confirm(definition, caller, @namespace, value, given);
    }

    private void Confirm(ResourceDefinition definition, Caller caller, string @namespace, JsonObject value, IReadOnlyList<PolicyRule> given)
    {
        var missing = RuleCover.Uncovered(authorization.Rights(caller).RulesIn(@namespace), given);
        if (missing.Count == 0)
            return;
        var lines = RuleCover.Compact(missing).Select(rule => rule.ToString()).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        throw new StatusException(Status.Forbidden(
            definition, NameOf(value),
            $"user {GoText.Quote(caller.User)} (groups={GoText.QuoteAll(caller.Groups)}) is attempting to grant RBAC permissions not currently held:\n{string.Join('\n', lines)}"));
    }

    // Who may change an object may also let the collector take it.
    private static bool OnlyLetsGo(JsonObject value, JsonObject? old)
    {
        if (old is null)
            return false;
        var (now, was) = (Kept(value), Kept(old));
        return JsonKinds.Same(now, was);

        static JsonObject Kept(JsonObject one)
        {
            var copy = (JsonObject)one.DeepClone();
            foreach (var name in (ReadOnlySpan<string>)["finalizers", "ownerReferences", "managedFields"])
                (copy["metadata"] as JsonObject)?.Remove(name);
            return copy;
        }
    }

    private static string NameOf(JsonObject value) => value["metadata"].TextAt("name");

    private static AccessQuestion Question(string verb, string resource, string @namespace, string name) => new(verb, Group, "*", resource, "", @namespace, name);
}
