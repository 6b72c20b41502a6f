using System.Reflection;
using k8s.Models;

namespace Flotta.Kube;

/// <summary>Where the objects of a kind live on the API server.</summary>
internal static class KubeKind<T>
{
    public static KubernetesEntityAttribute Entity { get; } =
        typeof(T).GetCustomAttribute<KubernetesEntityAttribute>()
        ?? throw new InvalidOperationException($"{typeof(T)} has no KubernetesEntity attribute");

    public static string ApiVersion { get; } = string.IsNullOrEmpty(Entity.Group) ? Entity.ApiVersion : Entity.Group + "/" + Entity.ApiVersion;

    private static string Prefix { get; } = string.IsNullOrEmpty(Entity.Group) ? "api/" + Entity.ApiVersion : "apis/" + ApiVersion;

    /// <summary>The path of a collection; an empty namespace means all of them (or a cluster-scoped kind).</summary>
    public static string Collection(string? @namespace) => string.IsNullOrEmpty(@namespace)
        ? $"{Prefix}/{Entity.PluralName}"
        : $"{Prefix}/namespaces/{Uri.EscapeDataString(@namespace)}/{Entity.PluralName}";

    public static string One(ObjectKey key) => $"{Collection(key.Namespace)}/{Segment(key.Name)}";

    // A name that is empty, dots or a slash would address another thing than the object.
    private static string Segment(string name) => name is "" or "." or ".."
        ? throw new ArgumentException($"'{name}' is not the name of an object", nameof(name))
        : Uri.EscapeDataString(name);
}
