using System.Text.Json.Nodes;
using Flotta.Kube;

namespace Flotta.Cli.Moving;

/// <summary>What is read out of an object that is otherwise only carried.</summary>
internal static class Document
{
    public static ObjectKey KeyOf(JsonObject document) => new(Text(document["metadata"]?["namespace"]), Text(document["metadata"]?["name"]));

    public static string Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    public static IEnumerable<JsonObject> Objects(JsonNode? node) => node is JsonArray array ? array.OfType<JsonObject>() : [];

    public static IEnumerable<string> Texts(JsonNode? node) => node is JsonArray array ? array.Select(Text) : [];

    public static bool IsDeleting(JsonObject document) => Text(document["metadata"]?["deletionTimestamp"]).Length > 0;

    public static long Generation(JsonObject document) => Number(document["metadata"]?["generation"]) ?? 0;

    public static long? Number(JsonNode? node) => node is JsonValue value && value.TryGetValue<long>(out var number) ? number : null;

    /// <summary>As a new object of another server: without what a server says itself, and without its status and owners, which are written later.</summary>
    public static JsonObject AsNew(MovedKind kind, JsonObject document)
    {
        var made = new JsonObject { ["apiVersion"] = kind.Resource.ApiVersion, ["kind"] = kind.Resource.Kind };
        var metadata = new JsonObject();
        foreach (var name in (ReadOnlySpan<string>)["name", "namespace", "labels", "annotations", "finalizers"])
        {
            if (document["metadata"]?[name] is { } kept)
                metadata[name] = kept.DeepClone();
        }

        made["metadata"] = metadata;
        foreach (var (name, member) in document)
        {
            if (name is not ("apiVersion" or "kind" or "metadata" or "status") && IsOwn(kind, document, name))
                made[name] = member?.DeepClone();
        }

        return made;
    }

    /// <summary>The status as it is right where the object's generation is another: what was seen of the present spec there is seen of the present spec here.</summary>
    public static JsonObject StatusFor(JsonObject document, long generation)
    {
        var status = (JsonObject)document["status"]!.DeepClone();
        void Seen(JsonObject node)
        {
            if (Number(node["observedGeneration"]) is { } observed)
                node["observedGeneration"] = observed >= Generation(document) ? generation : 0;
        }

        Seen(status);
        foreach (var condition in Objects(status["conditions"]))
            Seen(condition);
        return status;
    }

    // The rules of an aggregated role are collected by the server, a namespace's spec and an account's tokens are the server's.
    private static bool IsOwn(MovedKind kind, JsonObject document, string member) => member switch
    {
        "rules" => document["aggregationRule"] is null,
        "secrets" => kind != MovedKind.Accounts,
        "spec" => kind != MovedKind.Namespaces,
        _ => true,
    };
}
