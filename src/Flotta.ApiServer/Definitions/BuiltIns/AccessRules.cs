using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>Roles and their bindings.</summary>
internal static class AccessRules
{
    private const string Group = "rbac.authorization.k8s.io";
    private const string Prefix = "io.k8s.api.rbac.v1.";

    private static readonly Schema Rules = Models.List(
        Models.Model(
            Prefix + "PolicyRule",
            "PolicyRule says which verbs are allowed on which resources or URLs.",
            ("apiGroups", Models.Texts("The groups of the resources; \"\" is the core group, \"*\" any.", "atomic")),
            ("nonResourceURLs", Models.Texts("Paths outside of resources, the last step may be *; for cluster roles.", "atomic")),
            ("resourceNames", Models.Texts("Only objects with these names; none means all.", "atomic")),
            ("resources", Models.Texts("The resources; \"*\" is any.", "atomic")),
            ("verbs!", Models.Texts("What is allowed; \"*\" is everything.", "atomic"))),
        "What this role allows.");

    private static readonly Schema Subjects = Models.List(
        Models.Model(
            Prefix + "Subject",
            "Subject is a user, a group or a service account.",
            atomic: true,
            ("apiGroup", Models.Text("rbac.authorization.k8s.io for users and groups, \"\" for service accounts.")),
            ("kind!", Models.Text("User, Group or ServiceAccount.")),
            ("name!", Models.Text("Its name.")),
            ("namespace", Models.Text("The namespace of a service account."))),
        "Who gets the role.");

    private static readonly Schema RoleRef = Models.Model(
        Prefix + "RoleRef",
        "RoleRef names the role. It cannot be changed.",
        atomic: true,
        ("apiGroup!", Models.Text("rbac.authorization.k8s.io.")),
        ("kind!", Models.Text("Role or ClusterRole.")),
        ("name!", Models.Text("Its name.")));

    private static readonly Schema Aggregation = Models.Model(
        Prefix + "AggregationRule",
        "AggregationRule fills a cluster role with the rules of others.",
        ("clusterRoleSelectors", Models.List(Models.LabelSelector, "Cluster roles whose rules are taken.")));

    public static IReadOnlyList<ResourceDefinition> Definitions { get; } =
    [
        Role("ClusterRole", namespaced: false, ("aggregationRule", Aggregation), ("rules", Rules)),
        Binding("ClusterRoleBinding", namespaced: false),
        Role("Role", namespaced: true, ("rules", Rules)),
        Binding("RoleBinding", namespaced: true),
    ];

    private static ResourceDefinition Define(string kind, bool namespaced, string description, params (string, Schema)[] properties) => ResourceDefinition.OfServer(Group, kind, namespaced) with
    {
        CheckName = ObjectNames.CheckPathSegment,
        Schema = new ObjectSchema(Models.Kind(Prefix + kind, description, properties)),
    };

    private static ResourceDefinition Role(string kind, bool namespaced, params (string, Schema)[] properties) =>
        Define(kind, namespaced, kind + " is a set of rules that bindings give to people and programs.", properties) with
        {
            Normalise = (item, _) =>
            {
                if (!item.ContainsKey("rules")) item["rules"] = null;
            },
            Check = (item, _) => CheckRules(item, namespaced),
            PrinterColumns = [Cells.Name, Cells.CreatedAt],
            Cells = (item, _) => new(Cells.NameOf(item), item["metadata"].TextAt("creationTimestamp")),
        };

    private static ResourceDefinition Binding(string kind, bool namespaced) =>
        Define(kind, namespaced, kind + " gives a role to subjects.", ("roleRef!", RoleRef), ("subjects", Subjects)) with
        {
            Normalise = (item, _) => DefaultGroups(item),
            Check = (item, old) => CheckBinding(item, old, namespaced),
            PrinterColumns =
            [
                Cells.Name, Cells.Column("Role", "Which role is given."), Cells.Age, Cells.Column("Users", "Users in the binding", 1),
                Cells.Column("Groups", "Groups in the binding", 1), Cells.Column("ServiceAccounts", "ServiceAccounts in the binding", 1),
            ],
            Cells = (item, now) => new(
                Cells.NameOf(item), $"{item["roleRef"].TextAt("kind")}/{item["roleRef"].TextAt("name")}", Cells.AgeOf(item, now), Named(item, "User"),
                Named(item, "Group"), Named(item, "ServiceAccount")),
        };

    private static string Named(JsonObject item, string kind) => string.Join(", ", item["subjects"].Objects()
        .Where(subject => subject.TextAt("kind") == kind)
        .Select(subject => kind == "ServiceAccount" ? $"{subject.TextAt("namespace")}/{subject.TextAt("name")}" : subject.TextAt("name")));

    private static void DefaultGroups(JsonObject item)
    {
        if (item["roleRef"] is not JsonObject role) item["roleRef"] = role = [];
        if (role.TextAt("apiGroup").Length == 0) role["apiGroup"] = Group;
        foreach (var subject in item["subjects"].Objects())
        {
            if (subject.TextAt("kind") is "User" or "Group" && subject.TextAt("apiGroup").Length == 0) subject["apiGroup"] = Group;
        }
    }

    private static IReadOnlyList<FieldError> CheckRules(JsonObject item, bool namespaced)
    {
        var errors = ObjectMetadata.CheckBuiltInFinalizers(item).ToList();
        var i = -1;
        foreach (var rule in item["rules"].Objects())
        {
            var path = $"rules[{++i}]";
            if (Cells.Count(rule["verbs"]) == 0) errors.Add(FieldError.Required(path + ".verbs", "verbs must contain at least one value"));
            if (Cells.Count(rule["nonResourceURLs"]) > 0)
            {
                if (namespaced) errors.Add(Urls(rule, path, "namespaced rules cannot apply to non-resource URLs"));
                if (Cells.Count(rule["apiGroups"], rule["resources"], rule["resourceNames"]) > 0)
                    errors.Add(Urls(rule, path, "rules cannot apply to both regular resources and non-resource URLs"));
                continue;
            }

            if (Cells.Count(rule["apiGroups"]) == 0) errors.Add(FieldError.Required(path + ".apiGroups", "resource rules must supply at least one api group"));
            if (Cells.Count(rule["resources"]) == 0) errors.Add(FieldError.Required(path + ".resources", "resource rules must supply at least one resource"));
        }

        return errors;
    }

    private static FieldError Urls(JsonObject rule, string path, string why) => new(path + ".nonResourceURLs", "FieldValueInvalid",
        $"Invalid value: []string{{{string.Join(", ", rule["nonResourceURLs"].Texts().Select(GoText.Quote))}}}: {why}");

    private static IReadOnlyList<FieldError> CheckBinding(JsonObject item, JsonObject? old, bool namespaced)
    {
        var errors = ObjectMetadata.CheckBuiltInFinalizers(item).ToList();
        var role = item["roleRef"];
        var kinds = namespaced ? (string[])["Role", "ClusterRole"] : ["ClusterRole"];
        if (role.TextAt("apiGroup") != Group) errors.Add(FieldError.NotSupported("roleRef.apiGroup", role.TextAt("apiGroup"), [Group]));
        if (!kinds.Contains(role.TextAt("kind"), StringComparer.Ordinal)) errors.Add(FieldError.NotSupported("roleRef.kind", role.TextAt("kind"), kinds));
        if (role.TextAt("name").Length == 0) errors.Add(FieldError.Required("roleRef.name"));
        else errors.AddRange(ObjectNames.CheckPathSegment(role.TextAt("name")).Select(wrong => FieldError.Invalid("roleRef.name", role.TextAt("name"), wrong)));
        var i = -1;
        foreach (var subject in item["subjects"].Objects()) CheckSubject(subject, $"subjects[{++i}]", namespaced, errors);
        if (old is not null && !JsonKinds.Same(role, old["roleRef"]))
            errors.Add(new FieldError("roleRef", "FieldValueInvalid",
                $"Invalid value: rbac.RoleRef{{APIGroup:{GoText.Quote(role.TextAt("apiGroup"))}, Kind:{GoText.Quote(role.TextAt("kind"))}, " +
                $"Name:{GoText.Quote(role.TextAt("name"))}}}: cannot change roleRef"));
        return errors;
    }

    private static void CheckSubject(JsonObject subject, string path, bool namespaced, List<FieldError> errors)
    {
        var (kind, name, group) = (subject.TextAt("kind"), subject.TextAt("name"), subject.TextAt("apiGroup"));
        if (name.Length == 0) errors.Add(FieldError.Required(path + ".name"));
        switch (kind)
        {
            case "ServiceAccount":
                if (name.Length > 0) errors.AddRange(ObjectNames.CheckDnsSubdomain(name).Select(wrong => FieldError.Invalid(path + ".name", name, wrong)));
                if (group.Length > 0) errors.Add(FieldError.NotSupported(path + ".apiGroup", group, [""]));
                if (!namespaced && subject.TextAt("namespace").Length == 0) errors.Add(FieldError.Required(path + ".namespace"));
                break;
            case "User" or "Group":
                if (group != Group) errors.Add(FieldError.NotSupported(path + ".apiGroup", group, [Group]));
                break;
            default:
                errors.Add(FieldError.NotSupported(path + ".kind", kind, ["ServiceAccount", "User", "Group"]));
                break;
        }
    }
}
