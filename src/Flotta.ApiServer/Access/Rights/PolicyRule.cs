using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Access.Rights;

/// <summary>One rule of a role. An object fits when verb, group, resource and name do; a path when verb and path do.</summary>
internal sealed record PolicyRule(
    IReadOnlyList<string> Verbs, IReadOnlyList<string> Groups, IReadOnlyList<string> Resources, IReadOnlyList<string> Names, IReadOnlyList<string> Urls)
{
    public const string All = "*";

    private static readonly string[] None = [];

    public static PolicyRule Of(string verbs, string group, string resources) => new(Words(verbs), [group], Words(resources), None, None);

    public static PolicyRule OfUrls(string verbs, string urls) => new(Words(verbs), None, None, None, Words(urls));

    public static PolicyRule From(JsonObject rule) => new(
        [.. rule["verbs"].Texts()], [.. rule["apiGroups"].Texts()], [.. rule["resources"].Texts()], [.. rule["resourceNames"].Texts()], [.. rule["nonResourceURLs"].Texts()]);

    /// <summary>The rules of a Role or ClusterRole.</summary>
    public static IReadOnlyList<PolicyRule> ListFrom(JsonNode? rules) => [.. rules.Objects().Select(From)];

    public JsonObject ToJson()
    {
        var json = new JsonObject();
        Put("verbs", Verbs);
        Put("apiGroups", Groups);
        Put("resources", Resources);
        Put("resourceNames", Names);
        Put("nonResourceURLs", Urls);
        return json;

        void Put(string name, IReadOnlyList<string> values)
        {
            if (values.Count > 0)
                json[name] = new JsonArray([.. values.Select(value => (JsonNode)value)]);
        }
    }

    public bool Allows(AccessQuestion asked) => asked.IsResource
        ? Fits(Verbs, asked.Verb) && Fits(Groups, asked.Group) && FitsResource(asked.Resource, asked.Subresource) && (Names.Count == 0 || Has(Names, asked.Name))
        : Fits(Verbs, asked.Verb) && FitsUrl(asked.Path!);

    /// <summary>`{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}`, as the real server prints rules.</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        Say("APIGroups", Groups);
        Say("Resources", Resources);
        Say("NonResourceURLs", Urls);
        Say("ResourceNames", Names);
        Say("Verbs", Verbs);
        return "{" + string.Join(", ", parts) + "}";

        void Say(string name, IReadOnlyList<string> values)
        {
            if (values.Count > 0)
                parts.Add($"{name}:{GoText.QuoteAll(values)}");
        }
    }

    public bool Equals(PolicyRule? other) =>
        other is not null && Verbs.SequenceEqual(other.Verbs) && Groups.SequenceEqual(other.Groups) && Resources.SequenceEqual(other.Resources)
        && Names.SequenceEqual(other.Names) && Urls.SequenceEqual(other.Urls);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var word in Verbs.Concat(Groups).Concat(Resources).Concat(Names).Concat(Urls))
            hash.Add(word, StringComparer.Ordinal);
        return hash.ToHashCode();
    }

    public static bool Has(IReadOnlyList<string> words, string word)
    {
        for (var i = 0; i < words.Count; i++)
        {
            if (words[i] == word)
                return true;
        }

        return false;
    }

    /// <summary>A path that ends in an asterisk stands for all that begin so.</summary>
    public static bool UrlCovers(string url, string path) =>
        url == All || url == path || (url.EndsWith('*') && path.StartsWith(url.TrimEnd('*'), StringComparison.Ordinal));

    private static bool Fits(IReadOnlyList<string> words, string word)
    {
        for (var i = 0; i < words.Count; i++)
        {
            if (words[i] == All || words[i] == word)
                return true;
        }

        return false;
    }

    private bool FitsResource(string resource, string subresource)
    {
        for (var i = 0; i < Resources.Count; i++)
        {
            if (ResourceFits(Resources[i], resource, subresource))
                return true;
        }

        return false;
    }

    // `secrets`, `edgedevices/status`, `*/scale`, `*`.
    private static bool ResourceFits(string rule, string resource, string subresource)
    {
        if (rule == All)
            return true;
        if (subresource.Length == 0)
            return rule == resource;
        var slash = rule.Length - subresource.Length - 1;
        return slash > 0 && rule[slash] == '/' && rule.EndsWith(subresource, StringComparison.Ordinal)
            && (rule.AsSpan(0, slash) is "*" || rule.AsSpan(0, slash).SequenceEqual(resource));
    }

    private bool FitsUrl(string path)
    {
        for (var i = 0; i < Urls.Count; i++)
        {
            if (UrlCovers(Urls[i], path))
                return true;
        }

        return false;
    }

    private static string[] Words(string words) => words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
