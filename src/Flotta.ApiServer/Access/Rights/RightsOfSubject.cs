namespace Flotta.ApiServer.Access.Rights;

/// <summary>All that one user in certain groups may do, compiled once and asked for every request.</summary>
internal sealed class RightsOfSubject
{
    private readonly RuleSet everywhere = new();
    private readonly Dictionary<string, RuleSet> within = new(StringComparer.Ordinal);

    public RightsOfSubject(AccessPolicy policy, string user, IReadOnlyList<string> groups)
    {
        Policy = policy;
        foreach (var (grant, subject) in policy.GrantsTo(user, groups))
        {
            var set = everywhere;
            if (grant.Namespace.Length > 0 && !within.TryGetValue(grant.Namespace, out set))
                within[grant.Namespace] = set = new RuleSet();
            if (policy.RulesOf(grant.RoleKind, grant.RoleName, grant.Namespace) is { } rules)
                set!.Add(rules, grant, subject);
            else
                set!.Missing.Add($"{grant.RoleKind.ToLowerInvariant()}.rbac.authorization.k8s.io {Definitions.GoText.Quote(grant.RoleName)} not found");
        }
    }

    /// <summary>Of which policy this is: another one may say something else.</summary>
    public AccessPolicy Policy { get; }

    public Decision Check(AccessQuestion asked)
    {
        if (everywhere.Find(asked) is { } found)
            return Granted(found);
        var inside = asked.IsResource && asked.Namespace.Length > 0 ? within.GetValueOrDefault(asked.Namespace) : null;
        if (inside?.Find(asked) is { } there)
            return Granted(there);
        // A binding to a role that is not there may be the reason.
        var missing = (inside is null ? everywhere.Missing : everywhere.Missing.Concat(inside.Missing)).Distinct(StringComparer.Ordinal).ToList();
        return new Decision(false, missing.Count switch { 0 => "", 1 => "RBAC: " + missing[0], _ => $"RBAC: [{string.Join(", ", missing)}]" });
    }

    /// <summary>Every rule that counts in a namespace (empty: for what belongs to the whole cluster).</summary>
    public IEnumerable<PolicyRule> RulesIn(string @namespace) =>
        everywhere.All.Concat(@namespace.Length > 0 && within.TryGetValue(@namespace, out var inside) ? inside.All : []);

    private static Decision Granted(GrantedRule found) => new(true, "") { By = found };
}

/// <summary>A rule, and through which binding it is had.</summary>
internal sealed record GrantedRule(PolicyRule Rule, RoleGrant Grant, RoleSubject Subject)
{
    public override string ToString() => "RBAC: allowed by " + Grant.Describe(Subject);
}

/// <summary>Rules by the resource that they name, so that a question looks at few.</summary>
internal sealed class RuleSet
{
    private readonly List<GrantedRule> all = [];
    private readonly List<GrantedRule> anything = [];
    private readonly List<GrantedRule> urls = [];
    private readonly Dictionary<string, List<GrantedRule>> byResource = new(StringComparer.Ordinal);
    private bool subresourcesOfAll;

    /// <summary>Roles that are bound and do not exist.</summary>
    public List<string> Missing { get; } = [];

    public IEnumerable<PolicyRule> All => all.Select(one => one.Rule);

    public void Add(IEnumerable<PolicyRule> rules, RoleGrant grant, RoleSubject subject)
    {
        foreach (var rule in rules)
        {
            var granted = new GrantedRule(rule, grant, subject);
            all.Add(granted);
            if (rule.Urls.Count > 0)
                urls.Add(granted);
            if (PolicyRule.Has(rule.Resources, PolicyRule.All))
                anything.Add(granted);
            foreach (var resource in rule.Resources.Distinct(StringComparer.Ordinal))
            {
                subresourcesOfAll |= resource.StartsWith("*/", StringComparison.Ordinal);
                if (!byResource.TryGetValue(resource, out var some))
                    byResource[resource] = some = [];
                some.Add(granted);
            }
        }
    }

    public GrantedRule? Find(AccessQuestion asked)
    {
        if (!asked.IsResource)
            return First(urls, asked);
        if (First(anything, asked) is { } any)
            return any;
        if (byResource.TryGetValue(asked.FullResource, out var some) && First(some, asked) is { } found)
            return found;
        return subresourcesOfAll && asked.Subresource.Length > 0 && byResource.TryGetValue("*/" + asked.Subresource, out some) ? First(some, asked) : null;
    }

    private static GrantedRule? First(List<GrantedRule> some, AccessQuestion asked)
    {
        foreach (var one in some)
        {
            if (one.Rule.Allows(asked))
                return one;
        }

        return null;
    }
}
