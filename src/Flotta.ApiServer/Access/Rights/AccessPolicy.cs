using System.Collections.Immutable;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;

namespace Flotta.ApiServer.Access.Rights;

/// <summary>
/// All roles and bindings of one moment, looked up by subject. Made anew when one of them has changed (their sets in the store are other ones then);
/// what did not change is not read again.
/// </summary>
internal sealed class AccessPolicy
{
    public const string ClusterRoles = "clusterroles.rbac.authorization.k8s.io";
    public const string ClusterRoleBindings = "clusterrolebindings.rbac.authorization.k8s.io";
    public const string Roles = "roles.rbac.authorization.k8s.io";
    public const string RoleBindings = "rolebindings.rbac.authorization.k8s.io";

    private static readonly IReadOnlyList<(int, RoleGrant, RoleSubject)> Nothing = [];

    // Only these, not the whole state: that would keep the old version of every object.
    private readonly ImmutableSortedSet<StoredObject>[] source;
    private readonly Dictionary<StoredObject, RoleGrant> grants;
    private readonly Dictionary<StoredObject, IReadOnlyList<PolicyRule>> rules;
    private readonly Dictionary<(bool IsGroup, string Name), List<(int Order, RoleGrant Grant, RoleSubject Subject)>> bySubject = [];

    private AccessPolicy(StoreState state, AccessPolicy? before)
    {
        source = Sets(state);
        grants = new(ReferenceEqualityComparer.Instance);
        rules = new(ReferenceEqualityComparer.Instance);
        foreach (var role in source[0].Concat(source[1]))
            rules[role] = before?.rules.GetValueOrDefault(role) ?? PolicyRule.ListFrom(Json.Object(role.Json)["rules"]);
        // Bindings of the whole cluster come first: most requests end there.
        foreach (var binding in source[2].Concat(source[3]))
            Add(binding, before?.grants.GetValueOrDefault(binding) ?? RoleGrant.From(Json.Object(binding.Json)));
    }

    public static AccessPolicy From(StoreState state, AccessPolicy? before) => new(state, before);

    /// <summary>Nothing that counts has changed since.</summary>
    public bool IsOf(StoreState other) =>
        ReferenceEquals(source[0], other.Of(ClusterRoles)) && ReferenceEquals(source[1], other.Of(Roles))
        && ReferenceEquals(source[2], other.Of(ClusterRoleBindings)) && ReferenceEquals(source[3], other.Of(RoleBindings));

    /// <summary>Null: there is no such role.</summary>
    public IReadOnlyList<PolicyRule>? RulesOf(string kind, string name, string @namespace)
    {
        var (all, key) = kind == "ClusterRole" ? (source[0], new ObjectKey(ClusterRoles, "", name)) : (source[1], new ObjectKey(Roles, @namespace, name));
        return all.TryGetValue(StoredObject.Probe(key), out var role) && rules.TryGetValue(role, out var found) ? found : null;
    }

    /// <summary>What is granted to a user in these groups, each binding once, by its first subject that fits.</summary>
    public IEnumerable<(RoleGrant Grant, RoleSubject Subject)> GrantsTo(string user, IReadOnlyList<string> groups) =>
        Of((false, user)).Concat(groups.Distinct(StringComparer.Ordinal).SelectMany(group => Of((true, group))))
            .OrderBy(one => one.Order).DistinctBy(one => one.Grant, (IEqualityComparer<RoleGrant>)ReferenceEqualityComparer.Instance).Select(one => (one.Grant, one.Subject));

    private IReadOnlyList<(int Order, RoleGrant Grant, RoleSubject Subject)> Of((bool IsGroup, string Name) subject) =>
        bySubject.TryGetValue(subject, out var found) ? found : Nothing;

    private void Add(StoredObject binding, RoleGrant grant)
    {
        // In order of bindings, and of subjects within one.
        var order = grants.Count * 1000;
        grants[binding] = grant;
        for (var i = 0; i < grant.Subjects.Count; i++)
        {
            if (grant.Subjects[i].Key(grant.Namespace) is not { } key)
                continue;
            if (!bySubject.TryGetValue(key, out var all))
                bySubject[key] = all = [];
            all.Add((order + Math.Min(i, 999), grant, grant.Subjects[i]));
        }
    }

    private static ImmutableSortedSet<StoredObject>[] Sets(StoreState state) => [state.Of(ClusterRoles), state.Of(Roles), state.Of(ClusterRoleBindings), state.Of(RoleBindings)];
}
