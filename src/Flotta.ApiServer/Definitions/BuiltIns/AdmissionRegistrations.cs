using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>ValidatingWebhookConfiguration and MutatingWebhookConfiguration: who outside is asked before a write.</summary>
internal static class AdmissionRegistrations
{
    private const string Group = "admissionregistration.k8s.io";
    private const string Prefix = "io.k8s.api.admissionregistration.v1.";

    public static IReadOnlyList<ResourceDefinition> Definitions { get; } = [Define("Mutating"), Define("Validating")];

    private static ResourceDefinition Define(string what)
    {
        var kind = what + "WebhookConfiguration";
        return ResourceDefinition.OfServer(Group, kind, namespaced: false) with
        {
            HasGeneration = true,
            Normalise = (item, _) => Default(item, what == "Mutating"),
            Check = (item, _) => [.. ObjectMetadata.CheckBuiltInFinalizers(item), .. WebhookRules.Check(item)],
            PrinterColumns = [Cells.Name, Cells.Column("Webhooks", "How many webhooks it names."), Cells.Age],
            Cells = (item, now) => [Cells.NameOf(item), (JsonNode)Cells.Count(item["webhooks"]), Cells.AgeOf(item, now)],
            Schema = new ObjectSchema(Models.Kind(
                Prefix + kind, $"{kind} names webhooks that are asked before objects are written.",
                ("webhooks", Models.List(Webhook(what), "The webhooks and the operations that they are asked about.", "name")))),
        };
    }

    private static Schema Webhook(string what)
    {
        List<(string, Schema)> properties =
        [
            ("admissionReviewVersions!", Models.Texts("The versions of AdmissionReview that it understands, the preferred one first.", "atomic")),
            ("clientConfig!", Models.Model(
                Prefix + "WebhookClientConfig",
                "WebhookClientConfig says how to reach the webhook.",
                ("caBundle", Models.Bytes("The authorities that its certificate may be of, as PEM; none: those of the system.")),
                ("service", Models.Model(
                    Prefix + "ServiceReference",
                    "ServiceReference names a service.",
                    ("name!", Models.Text("Its name.")),
                    ("namespace!", Models.Text("Its namespace.")),
                    ("path", Models.Text("The path that is called.")),
                    ("port", Models.Int32("Its port; 443 when nothing is said.")))),
                ("url", Models.Text("Where it is, as an https URL.")))),
            ("failurePolicy", Models.Text("What becomes of the request when the webhook cannot be asked: Fail or Ignore.")),
            ("matchConditions", Models.List(
                Models.Model(
                    Prefix + "MatchCondition",
                    "MatchCondition is a CEL expression that must hold.",
                    ("expression!", Models.Text("The expression.")),
                    ("name!", Models.Text("What it is called in messages."))),
                "Conditions on the request; not supported here.", "name")),
            ("matchPolicy", Models.Text("Whether rules mean other versions of a resource too: Equivalent or Exact.")),
            ("name!", Models.Text("Its name, in at least three parts separated by dots.")),
            ("namespaceSelector", Models.LabelSelector),
            ("objectSelector", Models.LabelSelector),
            ("rules", Models.List(
                Models.Model(
                    Prefix + "RuleWithOperations",
                    "RuleWithOperations says which operations on which resources are meant.",
                    ("apiGroups", Models.Texts("Groups; * is all.", "atomic")),
                    ("apiVersions", Models.Texts("Versions; * is all.", "atomic")),
                    ("operations", Models.Texts("CREATE, UPDATE, DELETE, CONNECT or *.", "atomic")),
                    ("resources", Models.Texts("Resources and subresources: widgets, widgets/status, widgets/*, */scale, *, */*.", "atomic")),
                    ("scope", Models.Text("Cluster, Namespaced or *."))),
                "When it is asked.")),
            ("sideEffects!", Models.Text("None, or NoneOnDryRun.")),
            ("timeoutSeconds", Models.Int32("How long to wait for its answer, 1 to 30; 10 when nothing is said.")),
        ];
        if (what == "Mutating") properties.Add(("reinvocationPolicy", Models.Text("Whether it is asked again when a later webhook changed the object: Never or IfNeeded.")));
        return Models.Model($"{Prefix}{what}Webhook", $"{what}Webhook is one webhook and when it is asked.", [.. properties]);
    }

    private static void Default(JsonObject item, bool mutating)
    {
        foreach (var webhook in item["webhooks"].Objects())
        {
            webhook["failurePolicy"] ??= "Fail";
            webhook["matchPolicy"] ??= "Equivalent";
            webhook["namespaceSelector"] ??= new JsonObject();
            webhook["objectSelector"] ??= new JsonObject();
            webhook["timeoutSeconds"] ??= 10;
            if (mutating) webhook["reinvocationPolicy"] ??= "Never";
            if (webhook["clientConfig"].At("service") is JsonObject service) service["port"] ??= 443;
            foreach (var rule in webhook["rules"].Objects()) rule["scope"] ??= "*";
        }
    }
}
