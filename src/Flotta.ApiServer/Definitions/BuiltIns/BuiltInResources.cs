namespace Flotta.ApiServer.Definitions;

/// <summary>The kinds that every server has: Namespace, Secret, ConfigMap, Event (v1, events.k8s.io/v1), Lease, ServiceAccount, CustomResourceDefinition, …</summary>
internal static class BuiltInResources
{
    public static ResourceDefinition Namespace { get; } = Namespaces.Definition;

    public static ResourceDefinition CustomResourceDefinition { get; } = CustomResourceDefinitions.Definition;

    public static IReadOnlyList<ResourceDefinition> All { get; } =
    [
        Namespace,
        ConfigMaps.Definition,
        Secrets.Definition,
        ServiceAccounts.Definition,
        Events.Core,
        Events.Grouped,
        Leases.Definition,
        .. AccessReviews.Definitions,
        .. AccessRules.Definitions,
        .. AdmissionRegistrations.Definitions,
        CustomResourceDefinition,
    ];
}
