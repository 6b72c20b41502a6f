using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Flotta.KubernetesTests.ApiServer;

/// <summary>An answer without what differs between any two servers: identities, times, versions and the text of documentation.</summary>
internal static partial class Answered
{
    private static readonly string[] Varying =
    [
        "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "lastTransitionTime", "selfLink", "time", "description", "expirationTimestamp", "token",
    ];

    /// <param name="owners">Whether managedFields count: their details changed from version to version, so only the scripts about them compare them.</param>
    public static string Of(int code, string body, bool owners)
    {
        JsonNode? json;
        try
        {
            json = JsonNode.Parse(body);
        }
        catch (System.Text.Json.JsonException)
        {
            return $"{code} {body.Trim()}";
        }

        return $"{code} {Plain(json, owners)?.ToJsonString()}";
    }

    private static JsonNode? Plain(JsonNode? node, bool owners) => node switch
    {
        JsonObject map when (string?)map["kind"] == "Status" && map["code"] is not null => Status(map),
        JsonObject map => Map(map, owners),
        JsonArray list => new JsonArray([.. list.Select(item => Plain(item, owners))]),
        // An age of some seconds may be another second there.
        JsonValue when node.GetValueKind() == System.Text.Json.JsonValueKind.String => Seconds().Replace((string)node!, "soon"),
        _ => node?.DeepClone(),
    };

    private static JsonObject Map(JsonObject map, bool owners)
    {
        var plain = new JsonObject();
        var definition = (string?)(map["kind"] as JsonValue) == "CustomResourceDefinition";
        foreach (var (name, value) in map.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (Varying.Contains(name, StringComparer.Ordinal) || (name == "managedFields" && !owners)) continue;
            // A definition is established in the same write here, so a dry run shows it already.
            if (definition && name == "status") continue;
            if (name == "continue" && value is JsonValue && value.ToString().Length == 0) continue;
            if (name == "finalizers" && value is JsonArray { Count: 1 } only && only[0]!.ToString().StartsWith("customresourcecleanup.", StringComparison.Ordinal)) continue;
            // Newer servers label every namespace with its name.
            if (name == "labels" && value is JsonObject { Count: 1 } labels && labels.ContainsKey("kubernetes.io/metadata.name")) continue;
            if (name == "managedFields" && value is JsonArray entries)
            {
                // Entries are ordered by their times, and a second may pass on one server only.
                plain[name] = string.Join(' ', entries.Select(entry => Plain(entry, owners)!.ToJsonString()).Order(StringComparer.Ordinal));
                continue;
            }

            plain[name] = (name is "items" or "rows") && (value is null) ? new JsonArray() : Plain(value, owners);
        }

        if (plain["labels"] is JsonObject named) named.Remove("kubernetes.io/metadata.name");
        // Typed lists leave out what their items are.
        foreach (var item in (plain["items"] as JsonArray ?? []).OfType<JsonObject>().Where(_ => (string?)map["apiVersion"] is "v1" or "events.k8s.io/v1"))
        {
            item.Remove("apiVersion");
            item.Remove("kind");
        }

        return plain;
    }

    // Several causes come in any order, and so does the sentence made of them; the server says some twice.
    private static JsonObject Status(JsonObject status)
    {
        var details = status["details"] as JsonObject ?? [];
        var causes = (details["causes"] as JsonArray ?? []).Select(cause => Structure().Replace($"{cause!["field"]}|{cause["reason"]}|{cause["message"]}", "…: "))
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return new JsonObject
        {
            ["code"] = status["code"]!.DeepClone(),
            ["reason"] = status["reason"]?.DeepClone(),
            ["message"] = causes.Count > 1 ? "several" : Structure().Replace((string?)status["message"] ?? "", "…: "),
            ["name"] = details["name"]?.DeepClone(),
            ["kind"] = details["kind"]?.DeepClone(),
            ["group"] = details["group"]?.DeepClone(),
            ["causes"] = new JsonArray([.. causes.Select(cause => (JsonNode)cause)]),
        };
    }

    // Go prints whole structures, some with addresses in memory.
    [GeneratedRegex(@"(\[\])?(apiextensions\.|interface |map\[string\]interface ).*\}: ", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Structure();

    [GeneratedRegex("^[0-9]+s$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Seconds();
}
