using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Discovery;

/// <summary>What /api, /apis and below say of the resources served.</summary>
internal static class DiscoveryDocuments
{
    /// <summary>/api.</summary>
    public static JsonObject CoreVersions(string address) => new()
    {
        ["kind"] = "APIVersions", ["versions"] = new JsonArray("v1"),
        ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = address }),
    };

    /// <summary>/apis.</summary>
    public static JsonObject Groups(ServedResources served) => new()
    {
        ["kind"] = "APIGroupList", ["apiVersion"] = "v1",
        ["groups"] = new JsonArray([.. Named(served).Select(group => (JsonNode)Group(group))]),
    };

    /// <summary>/apis/GROUP; null: there is none.</summary>
    public static JsonObject? Group(ServedResources served, string name)
    {
        if (Named(served).FirstOrDefault(group => group.Key == name) is not { } found)
            return null;
        var document = Group(found);
        document.Insert(0, "kind", "APIGroup");
        document.Insert(1, "apiVersion", "v1");
        return document;
    }

    /// <summary>/api/v1, /apis/GROUP/VERSION; null: there is none.</summary>
    public static JsonObject? Resources(ServedResources served, string group, string version)
    {
        var some = served.All.Select(one => one.Definition).Where(one => one.Group == group && one.Version == version).ToList();
        if (some.Count == 0)
            return null;
        return new JsonObject
        {
            ["kind"] = "APIResourceList", ["apiVersion"] = "v1", ["groupVersion"] = some[0].ApiVersion,
            ["resources"] = new JsonArray([.. some.SelectMany(Entries).Select(one => (JsonNode)one)]),
        };
    }

    /// <summary>Newest and most stable first, as kubectl prefers them.</summary>
    public static IEnumerable<string> Versions(IEnumerable<ResourceDefinition> definitions) =>
        definitions.Select(one => one.Version).Distinct(StringComparer.Ordinal).Order(VersionOrder.Instance);

    private static IEnumerable<IGrouping<string, ResourceDefinition>> Named(ServedResources served) =>
        served.All.Select(one => one.Definition).Where(one => one.Group.Length > 0).GroupBy(one => one.Group, StringComparer.Ordinal);

    private static JsonObject Group(IGrouping<string, ResourceDefinition> group)
    {
        var versions = Versions(group).Select(version => new JsonObject { ["groupVersion"] = $"{group.Key}/{version}", ["version"] = version }).ToList();
        return new JsonObject { ["name"] = group.Key, ["versions"] = new JsonArray([.. versions]), ["preferredVersion"] = versions[0].DeepClone() };
    }

    private static IEnumerable<JsonObject> Entries(ResourceDefinition definition)
    {
        var entry = Entry(definition, definition.Plural, definition.Kind, definition.Singular, definition.Verbs);
        if (definition.ShortNames.Count > 0)
            entry["shortNames"] = Strings(definition.ShortNames);
        if (definition.Categories.Count > 0)
            entry["categories"] = Strings(definition.Categories);
        yield return entry;
        if (definition.HasStatus)
            yield return Entry(definition, definition.Plural + "/status", definition.Kind, "", ["get", "patch", "update"]);
        foreach (var subresource in definition.Subresources)
            yield return Entry(definition, subresource);
        if (definition.Scale is not null)
        {
            var scale = Entry(definition, definition.Plural + "/scale", "Scale", "", ["get", "patch", "update"]);
            scale["group"] = "autoscaling";
            scale["version"] = "v1";
            yield return scale;
        }
    }

    private static JsonObject Entry(ResourceDefinition definition, ServedSubresource subresource)
    {
        var entry = Entry(definition, $"{definition.Plural}/{subresource.Name}", subresource.Kind, "", subresource.Verbs);
        entry["group"] = subresource.Group;
        entry["version"] = subresource.Version;
        return entry;
    }

    private static JsonObject Entry(ResourceDefinition definition, string name, string kind, string singular, IReadOnlyList<string> verbs) => new()
    {
        ["name"] = name, ["singularName"] = singular, ["namespaced"] = definition.Namespaced, ["kind"] = kind, ["verbs"] = Strings(verbs),
    };

    private static JsonArray Strings(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
