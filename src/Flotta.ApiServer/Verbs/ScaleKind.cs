using System.Text.Json.Nodes;
using Flotta.ApiServer.Admission;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Verbs;

/// <summary>autoscaling/v1 Scale.</summary>
internal static class ScaleKind
{
    public const string Subresource = "scale";

    public static ResourceDefinition Definition { get; } = ResourceDefinition.OfServer("autoscaling", "Scale", namespaced: true) with
    {
        PrinterColumns =
        [
            Cells.Name, new("Desired", "integer", ".spec.replicas", Description: "How many are wanted."),
            new("Available", "integer", ".status.replicas", Description: "How many there are."),
            new("Age", "date", ".metadata.creationTimestamp", Description: Cells.Age.Description),
        ],
        Cells = (item, now) => [Cells.NameOf(item), item["spec"].At("replicas")?.DeepClone(), item["status"].At("replicas")?.DeepClone(), Cells.AgeOf(item, now)],
        Schema = new ObjectSchema(Models.Kind(
            "io.k8s.api.autoscaling.v1.Scale",
            "Scale says how many there are, and how many are wanted.",
            ("spec", Models.Model("io.k8s.api.autoscaling.v1.ScaleSpec", "ScaleSpec says how many are wanted.", ("replicas", Models.Int32("How many are wanted.")))),
            ("status", Models.Model(
                "io.k8s.api.autoscaling.v1.ScaleStatus",
                "ScaleStatus says how many there are.",
                ("replicas!", Models.Int32("How many there are.")),
                ("selector", Models.Text("Which objects are counted, as a label selector."))))))
    };

    public static Discovery.ServedResource Served { get; } = new(Definition) { StorageApiVersion = Definition.ApiVersion };

    public static JsonObject Of(JsonObject item, ScaleSubresource paths)
    {
        var metadata = new JsonObject();
        foreach (var name in (ReadOnlySpan<string>)["name", "namespace", "uid", "resourceVersion", "creationTimestamp"])
        {
            if (item["metadata"].At(name) is { } value)
                metadata[name] = value.DeepClone();
        }

        var spec = new JsonObject();
        if (At(item, paths.SpecReplicasPath).AsInteger() is { } wanted and not 0)
            spec["replicas"] = wanted;
        var status = new JsonObject { ["replicas"] = At(item, paths.StatusReplicasPath).AsInteger() ?? 0 };
        if (paths.LabelSelectorPath is { Length: > 0 } selector && At(item, selector).AsText() is { Length: > 0 } text)
            status["selector"] = text;
        return new JsonObject { ["kind"] = "Scale", ["apiVersion"] = "autoscaling/v1", ["metadata"] = metadata, ["spec"] = spec, ["status"] = status };
    }

    /// <summary>The Scale, where that is what is written; else as it is.</summary>
    public static AdmissionAttributes Shown(AdmissionAttributes write) => write.Subresource != Subresource ? write : write with
    {
        Object = Of(write.Object!, write.Definition.Scale!), Old = Of(write.Old!, write.Definition.Scale!),
    };

    public static JsonNode? At(JsonObject item, string path) => item.At(Steps(path));

    public static string[] Steps(string path) => path.TrimStart('.').Split('.');
}
