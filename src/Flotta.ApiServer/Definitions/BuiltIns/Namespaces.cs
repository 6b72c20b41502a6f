using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

internal static class Namespaces
{
    private const string Finalizer = "kubernetes";

    public static ResourceDefinition Definition { get; } = ResourceDefinition.OfServer("", "Namespace", namespaced: false) with
    {
        ShortNames = ["ns"],
        Verbs = ["create", "delete", "get", "list", "patch", "update", "watch"],
        HasStatus = true,
        SelectableFields = ["status.phase"],
        CheckName = ObjectNames.CheckDnsLabel,
        Normalise = Normalise,
        Check = Check,
        PrinterColumns = [Cells.Name, Cells.Column("Status", "The status of the namespace"), Cells.Age],
        Cells = (item, now) => new(Cells.NameOf(item), item["status"].TextAt("phase"), Cells.AgeOf(item, now)),
        Schema = new ObjectSchema(Models.Kind(
            "io.k8s.api.core.v1.Namespace",
            "Namespace is a scope for names. Many of them can be in one cluster.",
            ("spec", Models.Model(
                "io.k8s.api.core.v1.NamespaceSpec",
                "NamespaceSpec describes the attributes of a Namespace.",
                ("finalizers", Models.Texts("Must be empty before the namespace is removed.", "atomic")))),
            ("status", Models.Model(
                "io.k8s.api.core.v1.NamespaceStatus",
                "NamespaceStatus says what state a Namespace is in.",
                ("conditions", Models.List(
                    Models.Model(
                        "io.k8s.api.core.v1.NamespaceCondition",
                        "NamespaceCondition is one observation about the namespace.",
                        ("lastTransitionTime", Models.Time("When the condition last changed.")),
                        ("message", Models.Text("What a person should know.")),
                        ("reason", Models.Text("One word for why.")),
                        ("status!", Models.Text("True, False or Unknown.")),
                        ("type!", Models.Text("What is observed."))),
                    "The latest observations.", "type")),
                ("phase", Models.Text("Active or Terminating.")))))),
    };

    private static void Normalise(JsonObject item, JsonObject? old)
    {
        if (item["spec"] is not JsonObject spec) item["spec"] = spec = [];
        if (old is null)
        {
            // Every namespace is emptied before it goes: the finalizer stays until that is done.
            if (spec["finalizers"] is not JsonArray finalizers) spec["finalizers"] = finalizers = [];
            if (!finalizers.Texts().Contains(Finalizer, StringComparer.Ordinal)) finalizers.Add((JsonNode)Finalizer);
            item["status"] = new JsonObject { ["phase"] = "Active" };
        }
        else
        {
            // Only the finalize subresource takes finalizers away.
            item["spec"] = old["spec"]?.DeepClone() ?? new JsonObject();
        }

        // The server selects namespaces by this label since 1.21.
        if (item["metadata"] is not JsonObject metadata || metadata.TextAt("name") is not { Length: > 0 } name) return;
        if (metadata["labels"] is not JsonObject labels) metadata["labels"] = labels = [];
        labels["kubernetes.io/metadata.name"] = name;
    }

    private static IReadOnlyList<FieldError> Check(JsonObject item, JsonObject? old) =>
    [
        .. ObjectMetadata.CheckBuiltInFinalizers(item),
        .. item["spec"].At("finalizers").Texts()
            .Where(finalizer => !finalizer.Contains('/', StringComparison.Ordinal) && finalizer != Finalizer)
            .Select(finalizer => FieldError.Invalid("spec.finalizers", finalizer, "name is neither a standard finalizer name nor is it fully qualified")),
    ];
}
