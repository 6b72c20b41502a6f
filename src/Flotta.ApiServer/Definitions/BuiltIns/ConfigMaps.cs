using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

internal static class ConfigMaps
{
    private const int MaxSize = 1024 * 1024;

    public static ResourceDefinition Definition { get; } = ResourceDefinition.OfServer("", "ConfigMap", namespaced: true) with
    {
        ShortNames = ["cm"],
        Check = Check,
        PrinterColumns = [Cells.Name, Cells.Column("Data", "How many entries it has."), Cells.Age],
        Cells = (item, now) => new(Cells.NameOf(item), Cells.Count(item["data"], item["binaryData"]), Cells.AgeOf(item, now)),
        Schema = new ObjectSchema(Models.Kind(
            "io.k8s.api.core.v1.ConfigMap",
            "ConfigMap holds configuration data for workloads to consume.",
            ("binaryData", Models.BytesMap("Binary entries. Keys are letters, digits, '-', '_' and '.', and are not also in data.")),
            ("data", Models.TextMap("Text entries. Keys are letters, digits, '-', '_' and '.'.")),
            ("immutable", Models.Flag("If true, the data cannot be changed any more; only metadata can.")))),
    };

    private static IReadOnlyList<FieldError> Check(JsonObject item, JsonObject? old)
    {
        var errors = ObjectMetadata.CheckBuiltInFinalizers(item).ToList();
        var binary = item["binaryData"] as JsonObject ?? [];
        var size = 0;
        foreach (var (key, value) in item["data"] as JsonObject ?? [])
        {
            errors.AddRange(ObjectNames.CheckConfigKey(key).Select(wrong => FieldError.Invalid($"data[{key}]", key, wrong)));
            if (binary.ContainsKey(key)) errors.Add(FieldError.Invalid($"data[{key}]", key, "duplicate of key present in binaryData"));
            size += Encoding.UTF8.GetByteCount(value.AsText() ?? "");
        }

        foreach (var (key, value) in binary)
        {
            errors.AddRange(ObjectNames.CheckConfigKey(key).Select(wrong => FieldError.Invalid($"binaryData[{key}]", key, wrong)));
            size += Immutables.DecodedLength(value);
        }

        if (size > MaxSize) errors.Add(FieldError.TooLong("", MaxSize));
        errors.AddRange(Immutables.Check(item, old, "data", "binaryData"));
        return errors;
    }
}

/// <summary>ConfigMaps and Secrets that say of themselves that they do not change.</summary>
internal static class Immutables
{
    private const string Sentence = "field is immutable when `immutable` is set";

    public static IEnumerable<FieldError> Check(JsonObject item, JsonObject? old, params string[] fields)
    {
        if (old?["immutable"].AsBoolean() != true) yield break;
        if (item["immutable"].AsBoolean() != true) yield return FieldError.Forbidden("immutable", Sentence);
        foreach (var field in fields)
        {
            if (!JsonKinds.Same(item[field] ?? new JsonObject(), old[field] ?? new JsonObject())) yield return FieldError.Forbidden(field, Sentence);
        }
    }

    public static int DecodedLength(JsonNode? base64) => (base64.AsText() ?? "").Length / 4 * 3;
}
