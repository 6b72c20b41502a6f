namespace Flotta.ApiServer.Access.Rights;

/// <summary>Do some rules give all that others give? Each smallest part of the others must be given by one rule alone.</summary>
internal static class RuleCover
{
    /// <summary>The smallest parts of what is asked for that nobody gives.</summary>
    public static IReadOnlyList<PolicyRule> Uncovered(IEnumerable<PolicyRule> held, IEnumerable<PolicyRule> asked)
    {
        var all = held.ToList();
        return [.. asked.SelectMany(Parts).Where(part => !all.Exists(rule => Covers(rule, part)))];
    }

    /// <summary>Parts that differ only in their verbs as one.</summary>
    public static IReadOnlyList<PolicyRule> Compact(IReadOnlyList<PolicyRule> parts)
    {
        var others = parts.Where(part => part.Resources.Count == 0);
        var merged = parts.Where(part => part.Resources.Count > 0)
            .GroupBy(part => (part.Groups[0], part.Resources[0], part.Names.Count > 0 ? part.Names[0] : null))
            .Select(some => some.First() with { Verbs = [.. some.SelectMany(part => part.Verbs)] });
        return [.. others, .. merged];
    }

    /// <summary>One verb on one resource (or one name of it) of one group; or one verb on one path.</summary>
    private static IEnumerable<PolicyRule> Parts(PolicyRule rule)
    {
        foreach (var group in rule.Groups)
        {
            foreach (var resource in rule.Resources)
            {
                foreach (var verb in rule.Verbs)
                {
                    if (rule.Names.Count == 0)
                        yield return new PolicyRule([verb], [group], [resource], [], []);
                    foreach (var name in rule.Names)
                        yield return new PolicyRule([verb], [group], [resource], [name], []);
                }
            }
        }

        foreach (var url in rule.Urls)
        {
            foreach (var verb in rule.Verbs)
                yield return new PolicyRule([verb], [], [], [], [url]);
        }
    }

    private static bool Covers(PolicyRule rule, PolicyRule part)
    {
        if (!Gives(rule.Verbs, part.Verbs[0]))
            return false;
        if (part.Urls.Count > 0)
            return rule.Urls.Any(url => PolicyRule.UrlCovers(url, part.Urls[0]));
        return Gives(rule.Groups, part.Groups[0]) && GivesResource(rule.Resources, part.Resources[0])
            && (rule.Names.Count == 0 || (part.Names.Count > 0 && PolicyRule.Has(rule.Names, part.Names[0])));
    }

    private static bool Gives(IReadOnlyList<string> words, string word) => PolicyRule.Has(words, PolicyRule.All) || PolicyRule.Has(words, word);

    private static bool GivesResource(IReadOnlyList<string> resources, string resource) =>
        Gives(resources, resource) || (resource.Split('/') is [_, var subresource] && PolicyRule.Has(resources, "*/" + subresource));
}
