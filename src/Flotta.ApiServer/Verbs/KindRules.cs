using System.Text.Json.Nodes;
using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;

namespace Flotta.ApiServer.Verbs;

/// <summary>What the server itself adds to namespaces and definitions, so that they can be emptied before they go.</summary>
internal static class KindRules
{
    public const string Namespaces = "namespaces";
    public const string DefinitionFinalizer = "customresourcecleanup.apiextensions.k8s.io";

    /// <summary>Kinds that may be put without saying which version was seen: the last writer wins.</summary>
    private static readonly HashSet<string> Unconditional =
    [
        "configmaps", "secrets", "namespaces", "serviceaccounts", "events", "events.events.k8s.io",
        AccessPolicy.Roles, AccessPolicy.RoleBindings, AccessPolicy.ClusterRoles, AccessPolicy.ClusterRoleBindings,
    ];

    /// <exception cref="StatusException">The server cannot do without it.</exception>
    public static void CheckDelete(ServedResource served, string name)
    {
        if (served.Resource == Namespaces && name is ("default" or "kube-system" or "kube-public"))
            throw new StatusException(Status.Forbidden(served.Definition, name, "this namespace may not be deleted"));
    }

    /// <summary>A namespace has finalizers in its spec too. What another kind calls so is its own affair, and its spec may be anything.</summary>
    public static bool IsHeldBySpec(ServedResource served, JsonObject value) =>
        served.Resource == Namespaces && value["spec"].At("finalizers") is JsonArray { Count: > 0 };

    public static bool AllowsUnconditionalUpdate(ServedResource served) => served.Definition.BuiltIn && Unconditional.Contains(served.Resource);

    public static void OnCreate(ServedResource served, JsonObject value, Func<ResourceDefinition, string?> conflict, DateTimeOffset now)
    {
        if (served.Resource != ServedResources.Definitions)
            return;
        value.Remove("status");
        CustomResources.Default(value);
        // A definition that is wrong cannot be established; the validation that follows says why.
        if (CustomResources.Validate(value, null).Count > 0)
            return;
        if (value["metadata"]!["finalizers"] is not JsonArray finalizers)
            value["metadata"]!["finalizers"] = finalizers = [];
        if (!finalizers.Any(one => one.Text() == DefinitionFinalizer))
            finalizers.Add((JsonNode)DefinitionFinalizer);
        Establish(value, conflict, now);
    }

    public static void OnUpdate(ServedResource served, JsonObject value, JsonObject old, Func<ResourceDefinition, string?> conflict, DateTimeOffset now)
    {
        if (served.Resource != ServedResources.Definitions)
            return;
        CustomResources.Default(value);
        if (CustomResources.Validate(value, old).Count == 0)
            Establish(value, conflict, now);
    }

    /// <summary>What besides the deletionTimestamp shows that it is going.</summary>
    public static void OnTerminating(ServedResource served, JsonObject value, DateTimeOffset now)
    {
        if (served.Resource == Namespaces)
        {
            value["status"] = new JsonObject { ["phase"] = "Terminating" };
        }
        else if (served.Resource == ServedResources.Definitions && value["status"]?["conditions"] is JsonArray conditions)
        {
            conditions.Add((JsonNode)new JsonObject
            {
                ["type"] = "Terminating", ["status"] = "True", ["lastTransitionTime"] = Timestamps.Seconds(now),
                ["reason"] = "InstanceDeletionPending", ["message"] = "CustomResource deletion is pending",
            });
        }
    }

    private static void Establish(JsonObject crd, Func<ResourceDefinition, string?> conflict, DateTimeOffset now) =>
        CustomResources.Establish(crd, CustomResources.Parse(crd).Select(conflict).FirstOrDefault(why => why is not null), now);
}

internal static class Timestamps
{
    public static string Seconds(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
