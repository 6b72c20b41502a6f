using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Flotta.Kube;

/// <summary>Kubernetes objects as JSON: absent where null, times as Kubernetes takes them.</summary>
public static class KubeJson
{
    public static JsonSerializerOptions Options => KubeTypes.Default.Options;

    public static string Serialize<T>(T thing) => JsonSerializer.Serialize(thing, Type<T>());

    public static byte[] Bytes<T>(T thing) => JsonSerializer.SerializeToUtf8Bytes(thing, Type<T>());

    public static JsonNode? Node<T>(T thing) => JsonSerializer.SerializeToNode(thing, Type<T>());

    public static T? Deserialize<T>(string json) => JsonSerializer.Deserialize(json, Type<T>());

    internal static JsonTypeInfo<T> Type<T>() => (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T));
}
