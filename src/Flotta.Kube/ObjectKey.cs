using k8s.Models;

namespace Flotta.Kube;

/// <summary>Which object of a kind: namespace (empty for cluster-scoped kinds) and name.</summary>
public readonly record struct ObjectKey(string Namespace, string Name)
{
    public static ObjectKey Of(IMetadata<V1ObjectMeta> thing)
    {
        ArgumentNullException.ThrowIfNull(thing);
        return new(thing.Metadata.NamespaceProperty ?? "", thing.Metadata.Name);
    }

    public override string ToString() => Namespace.Length == 0 ? Name : Namespace + "/" + Name;
}
