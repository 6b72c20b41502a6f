using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Verbs;

/// <summary>From stored bytes to those of the version asked for, and back. Mostly they are the same, and nothing is copied.</summary>
internal static class WireForm
{
    public static ReadOnlyMemory<byte> Of(StoredObject one, ServedResource served) =>
        IsCurrent(one, served) ? one.Json : Encoding.UTF8.GetBytes(Parse(one, served).ToJsonString(Json.Relaxed));

    /// <summary>As this version shows it: what its schema does not know is gone, and defaults that came after it was stored are filled in.</summary>
    public static JsonObject Parse(StoredObject one, ServedResource served)
    {
        var (value, definition) = (Json.Object(one.Json), served.Definition);
        if (IsCurrent(one, served))
            return value;
        if (definition.FromStored is { } convert)
            value = convert(value);
        value["apiVersion"] = definition.ApiVersion;
        if (!definition.BuiltIn && definition.Schema is { } schema)
        {
            schema.Prune(value);
            schema.Default(value);
        }

        return value;
    }

    /// <summary>Stored as this version shows it, since its definition last changed.</summary>
    public static bool IsCurrent(StoredObject one, ServedResource served) =>
        // ObjectTemplate writes apiVersion first.
        one.Json.AsSpan().StartsWith(served.Prefix) && one.Revision >= (served.Source?.Revision ?? 0);

    /// <summary>The value itself, in the version that is stored.</summary>
    public static JsonObject ToStored(JsonObject value, ServedResource served)
    {
        if (served.Definition.ToStored is { } convert && value["apiVersion"].Text() == served.Definition.ApiVersion)
            value = convert(value);
        value["apiVersion"] = served.StorageApiVersion;
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
