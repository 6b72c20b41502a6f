using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Access.Rights;

/// <summary>The roles and bindings that every cluster has, but for those of Kubernetes' own components. Their names and rules are what people's manifests refer to.</summary>
internal static class DefaultRoles
{
    public const string AutoUpdate = "rbac.authorization.kubernetes.io/autoupdate";

    private const string Group = "rbac.authorization.k8s.io";
    private const string Aggregate = Group + "/aggregate-to-";
    private const string Read = "get list watch";
    private const string Write = "create delete deletecollection patch update";
    private const string ReadWrite = "create delete deletecollection get list patch update watch";
    private const string Workloads = "daemonsets deployments deployments/scale replicasets replicasets/scale";

    public static IReadOnlyList<JsonObject> ClusterRoles { get; } =
    [
        Role("cluster-admin", null, PolicyRule.Of("*", "*", "*"), PolicyRule.OfUrls("*", "*")),
        Aggregated("admin", null),
        Aggregated("edit", "admin"),
        Aggregated("view", "edit"),
        Role(
            "system:aggregate-to-admin", "admin",
            PolicyRule.Of("create", "authorization.k8s.io", "localsubjectaccessreviews"),
            PolicyRule.Of(ReadWrite, Group, "rolebindings roles")),
        Role(
            "system:aggregate-to-edit", "edit",
            PolicyRule.Of(Read, "", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
            PolicyRule.Of("impersonate", "", "serviceaccounts"),
            PolicyRule.Of(Write, "", "pods pods/attach pods/exec pods/portforward pods/proxy"),
            PolicyRule.Of("create", "", "pods/eviction"),
            PolicyRule.Of(
                Write, "",
                "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy"),
            PolicyRule.Of("create", "", "serviceaccounts/token"),
            PolicyRule.Of(Write, "apps", Workloads + " deployments/rollback statefulsets statefulsets/scale"),
            PolicyRule.Of(Write, "autoscaling", "horizontalpodautoscalers"),
            PolicyRule.Of(Write, "batch", "cronjobs jobs"),
            PolicyRule.Of(Write, "extensions", Workloads + " deployments/rollback ingresses networkpolicies replicationcontrollers/scale"),
            PolicyRule.Of(Write, "policy", "poddisruptionbudgets"),
            PolicyRule.Of(Write, "networking.k8s.io", "ingresses networkpolicies"),
            PolicyRule.Of(ReadWrite, "coordination.k8s.io", "leases")),
        Role(
            "system:aggregate-to-view", "view",
            PolicyRule.Of(
                Read, "",
                "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status"),
            PolicyRule.Of(
                Read, "", "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status"),
            PolicyRule.Of(Read, "", "namespaces"),
            PolicyRule.Of(Read, "discovery.k8s.io", "endpointslices"),
            PolicyRule.Of(Read, "apps", Workloads + " controllerrevisions daemonsets/status deployments/status replicasets/status statefulsets statefulsets/scale statefulsets/status"),
            PolicyRule.Of(Read, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
            PolicyRule.Of(Read, "batch", "cronjobs cronjobs/status jobs jobs/status"),
            PolicyRule.Of(
                Read, "extensions",
                Workloads + " daemonsets/status deployments/status ingresses ingresses/status networkpolicies replicasets/status replicationcontrollers/scale"),
            PolicyRule.Of(Read, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
            PolicyRule.Of(Read, "networking.k8s.io", "ingresses ingresses/status networkpolicies")),
        Role(
            "system:auth-delegator", null,
            PolicyRule.Of("create", "authentication.k8s.io", "tokenreviews"),
            PolicyRule.Of("create", "authorization.k8s.io", "subjectaccessreviews")),
        Role(
            "system:basic-user", null,
            PolicyRule.Of("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
            PolicyRule.Of("create", "authentication.k8s.io", "selfsubjectreviews")),
        Role(
            "system:discovery", null,
            PolicyRule.OfUrls("get", "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/")),
        Role("system:monitoring", null, PolicyRule.OfUrls("get", "/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*")),
        Role("system:public-info-viewer", null, PolicyRule.OfUrls("get", "/healthz /livez /readyz /version /version/")),
        Role("system:service-account-issuer-discovery", null, PolicyRule.OfUrls("get", "/.well-known/openid-configuration /openid/v1/jwks")),
    ];

    public static IReadOnlyList<JsonObject> ClusterRoleBindings { get; } =
    [
        Binding("cluster-admin", Caller.Masters),
        Binding("system:basic-user", Caller.Authenticated),
        Binding("system:discovery", Caller.Authenticated),
        Binding("system:monitoring", "system:monitoring"),
        Binding("system:public-info-viewer", Caller.Authenticated, "system:unauthenticated"),
        Binding("system:service-account-issuer-discovery", "system:serviceaccounts"),
    ];

    private static JsonObject Role(string name, string? aggregateTo, params PolicyRule[] rules)
    {
        var role = Named("ClusterRole", name, aggregateTo);
        role["rules"] = new JsonArray([.. rules.Select(rule => (JsonNode)rule.ToJson())]);
        return role;
    }

    private static JsonObject Aggregated(string name, string? aggregateTo)
    {
        var role = Named("ClusterRole", name, aggregateTo);
        role["aggregationRule"] = new JsonObject
        {
            ["clusterRoleSelectors"] = new JsonArray(new JsonObject { ["matchLabels"] = new JsonObject { [Aggregate + name] = "true" } }),
        };
        role["rules"] = new JsonArray();
        return role;
    }

    private static JsonObject Binding(string name, params string[] groups)
    {
        var binding = Named("ClusterRoleBinding", name, null);
        binding["roleRef"] = new JsonObject { ["apiGroup"] = Group, ["kind"] = "ClusterRole", ["name"] = name };
        binding["subjects"] = new JsonArray([.. groups.Select(group => (JsonNode)new JsonObject { ["apiGroup"] = Group, ["kind"] = "Group", ["name"] = group })]);
        return binding;
    }

    private static JsonObject Named(string kind, string name, string? aggregateTo)
    {
        var labels = new JsonObject { ["kubernetes.io/bootstrapping"] = "rbac-defaults" };
        if (aggregateTo is not null)
            labels[Aggregate + aggregateTo] = "true";
        return new JsonObject
        {
            ["apiVersion"] = Group + "/v1", ["kind"] = kind,
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = labels, ["annotations"] = new JsonObject { [AutoUpdate] = "true" } },
        };
    }
}
