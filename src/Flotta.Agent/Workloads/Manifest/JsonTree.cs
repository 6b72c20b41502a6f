using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flotta.Agent.Workloads;

/// <summary>Reads a tree that somebody else wrote: every field may be absent or of the wrong kind, and then the message names it.</summary>
internal static class JsonTree
{
    public static string? Text(this JsonObject map, string key) => map[key] switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => throw new ManifestException($"{key} is not a text"),
    };

    /// <summary>A scalar as text, as it was written: people forget the quotes around numbers.</summary>
    public static string? Scalar(this JsonObject map, string key) => map[key] switch
    {
        null => null,
        JsonValue value => value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString(),
        _ => throw new ManifestException($"{key} is not a scalar"),
    };

    public static bool Flag(this JsonObject map, string key) => map[key]?.GetValueKind() switch
    {
        null or JsonValueKind.False => false,
        JsonValueKind.True => true,
        _ => throw new ManifestException($"{key} is neither true nor false"),
    };

    public static int? Integer(this JsonObject map, string key) => map[key] switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.Number && int.TryParse(value.ToJsonString(), out var number) => number,
        _ => throw new ManifestException($"{key} is not an integer"),
    };

    public static JsonObject? Map(this JsonObject map, string key) => map[key] switch
    {
        null => null,
        JsonObject child => child,
        _ => throw new ManifestException($"{key} is not a map"),
    };

    /// <summary>The maps of a list; absent is empty.</summary>
    public static IReadOnlyList<JsonObject> Maps(this JsonObject map, string key) => map[key] switch
    {
        null => [],
        JsonArray list => [.. list.Select(item => item as JsonObject ?? throw new ManifestException($"{key} has a member that is not a map"))],
        _ => throw new ManifestException($"{key} is not a list"),
    };

    /// <summary>Of a pod's specification: those that run and those that prepare it.</summary>
    public static IEnumerable<JsonObject> AllContainers(this JsonObject spec) => spec.Maps("containers").Concat(spec.Maps("initContainers"));

    /// <summary>The list itself, made where it is absent.</summary>
    public static IList<JsonNode?> ListFor(this JsonObject map, string key)
    {
        if (map[key] is JsonArray list)
            return list;
        if (map[key] is not null)
            throw new ManifestException($"{key} is not a list");
        list = [];
        map[key] = list;
        return list;
    }

    /// <summary>The same tree with every map's keys in order: the form that is hashed.</summary>
    public static JsonNode? Canonical(this JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, Canonical(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Canonical)]),
        _ => node?.DeepClone(),
    };
}
