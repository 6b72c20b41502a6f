using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using k8s;

namespace Flotta.Kube;

/// <summary>
/// The official client's way of writing Kubernetes objects, without its generated table of every model there is: asking that table for one
/// kind loads the types of all of them, some 60 MB, where we use a dozen.
/// </summary>
public static class KubeJson
{
    public static JsonSerializerOptions Options { get; } = Official();

    public static string Serialize(object? thing) => JsonSerializer.Serialize(thing, Options);

    public static T? Deserialize<T>(string json) => JsonSerializer.Deserialize<T>(json, Options);

    private static JsonSerializerOptions Official()
    {
        JsonSerializerOptions? official = null;
        KubernetesJson.AddJsonOptions(options => official = options);
        return new JsonSerializerOptions(official!) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
    }
}
