using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;

namespace Flotta.Cli.Moving;

/// <summary>
/// Which objects move. Of an embedded installation everything that people and Flotta put there, since it holds nothing else; of a cluster, which holds much else,
/// what Flotta's objects refer to. Never what every server makes for itself, nor the accounts and rights that come with an installation.
/// </summary>
internal sealed class Selection(bool everything)
{
    private const string Group = "rbac.authorization.k8s.io";

    private static readonly HashSet<string> Installed =
        [.. AccessManifests.All.Select(manifest => $"{manifest.Kind} {manifest.Name}"), "Role flotta-webhook-role", "RoleBinding flotta-webhook-rolebinding",
            "ClusterRole flotta-webhook-role", "ClusterRoleBinding flotta-webhook-rolebinding", "ServiceAccount default"];

    private readonly HashSet<string> namespaces = new(StringComparer.Ordinal) { Names.EnrolmentNamespace, Names.OperatorNamespace };
    private readonly HashSet<(MovedKind Kind, ObjectKey Key)> referred = [];

    /// <summary>The order in which <see cref="Has"/> must be asked about kinds, since what one refers to decides about others.</summary>
    public static IReadOnlyList<MovedKind> Order { get; } =
    [
        .. MovedKind.Flotta, MovedKind.Secrets, MovedKind.ConfigMaps, MovedKind.ClusterRoles, MovedKind.Roles, MovedKind.ClusterRoleBindings, MovedKind.RoleBindings,
        MovedKind.Accounts, MovedKind.Namespaces,
    ];

    public bool Has(MovedKind kind, JsonObject document)
    {
        var key = Document.KeyOf(document);
        if (kind.IsOurs)
        {
            namespaces.Add(key.Namespace);
            foreach (var (sort, name) in References.In(document))
                referred.Add((sort, new(key.Namespace, name)));
            return true;
        }

        if (IsServers(kind, key, document))
            return false;
        if (kind == MovedKind.Namespaces)
            return (everything && !key.Name.StartsWith("kube-", StringComparison.Ordinal)) || namespaces.Contains(key.Name);
        if (everything)
            return true;
        if (kind == MovedKind.Secrets)
            return referred.Contains((kind, key)) || IsCertificate(key, document);
        if (kind == MovedKind.ClusterRoles || kind == MovedKind.Roles)
            return IsAboutUs(document) && referred.Add((kind, key));
        if (kind == MovedKind.ClusterRoleBindings || kind == MovedKind.RoleBindings)
            return IsChosen(key, document);
        return referred.Contains((kind, key));
    }

    /// <summary>The CA, the server's certificate and the bootstrap certificates: without exactly these no device would know the control plane again.</summary>
    public static bool IsCertificate(ObjectKey key, JsonObject document) =>
        key.Namespace == Names.OperatorNamespace
        && (IsIdentity(key) || document["metadata"]?["labels"]?[Names.Labels.RegistrationSecret] is not null);

    public static bool IsIdentity(ObjectKey key) => key == new ObjectKey(Names.OperatorNamespace, "flotta-ca") || key == new ObjectKey(Names.OperatorNamespace, "flotta-host-certificate");

    private static bool IsServers(MovedKind kind, ObjectKey key, JsonObject document) =>
        Installed.Contains($"{kind.Resource.Kind} {key.Name}")
        || document["metadata"]?["labels"]?["kubernetes.io/bootstrapping"] is not null
        || (kind == MovedKind.Secrets && (Document.Text(document["type"]) == "kubernetes.io/service-account-token" || key == new ObjectKey(Names.OperatorNamespace, "webhook-server-cert")))
        || (kind == MovedKind.ConfigMaps && (key.Name == "kube-root-ca.crt" || key is { Namespace: Names.OperatorNamespace, Name: "flotta-manager-config" or "flotta-edge-api-config" or Names.EdgeApiInfo }))
        || (kind.Resource.ApiVersion.StartsWith(Group, StringComparison.Ordinal) && key.Name.StartsWith("system:", StringComparison.Ordinal))
        || key.Namespace.StartsWith("kube-", StringComparison.Ordinal);

    private static bool IsAboutUs(JsonObject role) => Document.Objects(role["rules"]).Any(rule => Document.Texts(rule["apiGroups"]).Contains(Names.Group, StringComparer.Ordinal));

    // In a namespace with devices the roles that every cluster has count too; in the whole cluster they are its administrators' affair.
    private bool IsChosen(ObjectKey key, JsonObject binding)
    {
        var role = (Kind: Document.Text(binding["roleRef"]?["kind"]), Name: Document.Text(binding["roleRef"]?["name"]));
        var general = role is { Kind: "ClusterRole", Name: "view" or "edit" or "admin" or "cluster-admin" };
        var chosen = role.Kind == "ClusterRole" ? referred.Contains((MovedKind.ClusterRoles, new("", role.Name))) : referred.Contains((MovedKind.Roles, new(key.Namespace, role.Name)));
        if (!chosen && !(general && namespaces.Contains(key.Namespace)))
            return false;
        foreach (var account in Document.Objects(binding["subjects"]).Where(subject => Document.Text(subject["kind"]) == "ServiceAccount"))
        {
            referred.Add((MovedKind.Accounts, new(Document.Text(account["namespace"]), Document.Text(account["name"]))));
            namespaces.Add(Document.Text(account["namespace"]));
        }

        return true;
    }
}
