using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Verbs;
using Microsoft.AspNetCore.Http;

namespace Flotta.ApiServer.Discovery;

/// <summary>All groups, versions and resources in one document: what newer clients ask of /api and /apis.</summary>
internal static class AggregatedDiscovery
{
    private const string Group = "apidiscovery.k8s.io";

    /// <summary>v2 or v2beta1, where it is asked for before the plain document; else null.</summary>
    public static string? Wanted(HttpContext http)
    {
        if (!HttpMethods.IsGet(http.Request.Method))
            return null;
        foreach (var clause in http.Request.Headers.Accept.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = clause.Split(';', StringSplitOptions.TrimEntries);
            if (parts[0] is not "application/json")
                continue;
            if (!parts.Any(part => part.StartsWith("as=", StringComparison.Ordinal)))
                return null;
            if (!parts.Contains("as=APIGroupDiscoveryList", StringComparer.Ordinal) || !parts.Contains("g=" + Group, StringComparer.Ordinal))
                continue;
            if (parts.Contains("v=v2", StringComparer.Ordinal))
                return "v2";
            if (parts.Contains("v=v2beta1", StringComparer.Ordinal))
                return "v2beta1";
        }

        return null;
    }

    public static string MediaType(string version) => $"application/json;g={Group};v={version};as=APIGroupDiscoveryList";

    /// <param name="core">Only the core group, or only the others.</param>
    public static byte[] Document(ServedResources served, string version, bool core)
    {
        var groups = served.All.Select(one => one.Definition).Where(one => one.Group.Length == 0 == core).GroupBy(one => one.Group, StringComparer.Ordinal);
        var list = new JsonObject
        {
            ["kind"] = "APIGroupDiscoveryList", ["apiVersion"] = $"{Group}/{version}", ["metadata"] = new JsonObject(),
            ["items"] = new JsonArray([.. groups.Select(OfGroup)]),
        };
        return Encoding.UTF8.GetBytes(list.ToJsonString(Json.Relaxed));
    }

    private static JsonNode OfGroup(IGrouping<string, ResourceDefinition> group)
    {
        var metadata = new JsonObject { ["creationTimestamp"] = null };
        if (group.Key.Length > 0)
            metadata["name"] = group.Key;
        var versions = DiscoveryDocuments.Versions(group).Select(version => (JsonNode)new JsonObject
        {
            ["version"] = version,
            ["resources"] = new JsonArray([.. group.Where(one => one.Version == version).Select(OfResource)]),
            ["freshness"] = "Current",
        });
        return new JsonObject { ["metadata"] = metadata, ["versions"] = new JsonArray([.. versions]) };
    }

    private static JsonNode OfResource(ResourceDefinition definition)
    {
        var resource = new JsonObject
        {
            ["resource"] = definition.Plural,
            ["responseKind"] = Kind(definition.Group, definition.Version, definition.Kind),
            ["scope"] = definition.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = definition.Singular,
            ["verbs"] = Strings(definition.Verbs),
        };
        if (definition.ShortNames.Count > 0)
            resource["shortNames"] = Strings(definition.ShortNames);
        if (definition.Categories.Count > 0)
            resource["categories"] = Strings(definition.Categories);
        var subresources = new JsonArray();
        if (definition.HasStatus)
            subresources.Add((JsonNode)Subresource("status", Kind(definition.Group, definition.Version, definition.Kind)));
        if (definition.Scale is not null)
            subresources.Add((JsonNode)Subresource("scale", Kind("autoscaling", "v1", "Scale")));
        foreach (var subresource in definition.Subresources)
            subresources.Add((JsonNode)Subresource(subresource.Name, Kind(subresource.Group, subresource.Version, subresource.Kind), subresource.Verbs));
        if (subresources.Count > 0)
            resource["subresources"] = subresources;
        return resource;
    }

    private static JsonObject Subresource(string name, JsonObject kind, IReadOnlyList<string>? verbs = null) => new()
    {
        ["subresource"] = name, ["responseKind"] = kind, ["verbs"] = Strings(verbs ?? ["get", "patch", "update"]),
    };

    private static JsonObject Kind(string group, string version, string kind) => new() { ["group"] = group, ["version"] = version, ["kind"] = kind };

    private static JsonArray Strings(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
