using System.Text.Json;
using k8s;

namespace Flotta.Kube;

/// <summary>The official client's way of writing Kubernetes objects, for the places where we hold the stream or the element ourselves.</summary>
public static class KubeJson
{
    public static JsonSerializerOptions Options { get; } = Official();

    private static JsonSerializerOptions Official()
    {
        JsonSerializerOptions? official = null;
        KubernetesJson.AddJsonOptions(options => official = options);
        return new JsonSerializerOptions(official!);
    }
}
