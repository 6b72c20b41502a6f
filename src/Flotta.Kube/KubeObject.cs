using System.Text.Json;
using k8s;
using k8s.Models;

namespace Flotta.Kube;

/// <summary>One object of an answer, or as much of it as can be read.</summary>
internal static class KubeObject
{
    public static T Read<T>(JsonElement element) =>
        element.Deserialize(KubeJson.Type<T>()) ?? throw new InvalidDataException("the API server sent null where an object belongs");

    /// <summary>Null, and why, where an object is not of the shape that its kind has: a definition may be looser than our types, or newer.</summary>
    public static T? TryRead<T>(JsonElement element, out string problem)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        problem = "";
        try
        {
            var thing = Read<T>(element);
            if (thing.Metadata?.Name is { Length: > 0 })
                return thing;
            problem = "it has no name";
        }
        catch (Exception unreadable) when (unreadable is JsonException or FormatException or InvalidOperationException or NotSupportedException or ArgumentException or InvalidDataException)
        {
            problem = unreadable.Message;
        }

        return null;
    }

    public static ObjectKey KeyOf(JsonElement element) => new(Text(element, "namespace") ?? "", Text(element, "name") ?? "");

    public static string? VersionOf(JsonElement element) => Text(element, "resourceVersion");

    private static string? Text(JsonElement element, string member) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
        && metadata.TryGetProperty(member, out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()
            : null;
}
