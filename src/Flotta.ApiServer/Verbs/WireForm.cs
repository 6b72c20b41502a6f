using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Discovery;

namespace Flotta.ApiServer.Verbs;

/// <summary>From stored bytes to those of the version asked for. Mostly they are the same, and nothing is copied.</summary>
internal static class WireForm
{
    public static ReadOnlyMemory<byte> Of(byte[] json, ServedResource served)
    {
        // ObjectTemplate writes apiVersion first.
        var wanted = Encoding.UTF8.GetBytes($"{{\"apiVersion\":\"{served.Definition.ApiVersion}\",");
        if (json.AsSpan().StartsWith(wanted))
            return json;
        return Encoding.UTF8.GetBytes(Parse(json, served).ToJsonString(Json.Relaxed));
    }

    public static JsonObject Parse(byte[] json, ServedResource served)
    {
        var value = Json.Object(json);
        value["apiVersion"] = served.Definition.ApiVersion;
        return value;
    }

    public static JsonObject PartialMetadata(JsonObject value, string version) => new()
    {
        ["kind"] = "PartialObjectMetadata", ["apiVersion"] = "meta.k8s.io/" + version, ["metadata"] = value["metadata"]!.DeepClone(),
    };
}

internal static class Json
{
    public static readonly System.Text.Json.JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static JsonObject Object(byte[] json) => (JsonObject)JsonNode.Parse(json)!;

    /// <summary>The text, or null when it is absent or something else.</summary>
    public static string? Text(this JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
