namespace Flotta.ApiServer.Definitions;

/// <summary>The kinds that every server has: Namespace, Secret, ConfigMap, Event (v1, events.k8s.io/v1), Lease, ServiceAccount, CustomResourceDefinition, …</summary>
internal static partial class BuiltInResources
{
    public static IReadOnlyList<ResourceDefinition> All => throw new NotSupportedException("not built yet");
}
