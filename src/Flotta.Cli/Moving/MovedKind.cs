using Flotta.Kube;
using Flotta.Resources;

namespace Flotta.Cli.Moving;

/// <summary>A kind that moves with an installation.</summary>
/// <param name="HasStatus">Its status is a subresource, which is written by itself.</param>
internal sealed record MovedKind(KubeResource Resource, bool HasStatus = false)
{
    private const string Rights = "rbac.authorization.k8s.io/v1";

    public static MovedKind Namespaces { get; } = new(new KubeResource("v1", "Namespace", "namespaces", false));

    public static MovedKind Accounts { get; } = new(new KubeResource("v1", "ServiceAccount", "serviceaccounts", true));

    public static MovedKind Secrets { get; } = new(new KubeResource("v1", "Secret", "secrets", true));

    public static MovedKind ConfigMaps { get; } = new(new KubeResource("v1", "ConfigMap", "configmaps", true));

    public static MovedKind ClusterRoles { get; } = new(new KubeResource(Rights, "ClusterRole", "clusterroles", false));

    public static MovedKind ClusterRoleBindings { get; } = new(new KubeResource(Rights, "ClusterRoleBinding", "clusterrolebindings", false));

    public static MovedKind Roles { get; } = new(new KubeResource(Rights, "Role", "roles", true));

    public static MovedKind RoleBindings { get; } = new(new KubeResource(Rights, "RoleBinding", "rolebindings", true));

    public static MovedKind Devices { get; } = Ours(EdgeDevice.KindName, "edgedevices");

    public static MovedKind Requests { get; } = Ours(EdgeDeviceSignedRequest.KindName, "edgedevicesignedrequest");

    /// <summary>
    /// Our own, in the order in which they are written: what others lean on comes first, and last what sets things going. Even a controller that should not be
    /// there finds devices before the requests that made them, and no workload before the devices that run it.
    /// </summary>
    public static IReadOnlyList<MovedKind> Flotta { get; } =
    [
        Ours(EdgeDeviceSet.KindName, "edgedevicesets"), Ours(EdgeConfig.KindName, "edgeconfigs"), Devices,
        Ours(PlaybookExecution.KindName, "playbookexecutions"), Requests, Ours(EdgeWorkload.KindName, "edgeworkloads"),
    ];

    /// <summary>All of them, in order.</summary>
    public static IReadOnlyList<MovedKind> All { get; } =
        [Namespaces, Accounts, Secrets, ConfigMaps, ClusterRoles, ClusterRoleBindings, Roles, RoleBindings, .. Flotta];

    public string Name => Resource.Plural;

    public bool IsOurs => Resource.ApiVersion == Names.ApiVersion;

    public override string ToString() => Name;

    private static MovedKind Ours(string kind, string plural) => new(new KubeResource(Names.ApiVersion, kind, plural, true), HasStatus: true);
}
