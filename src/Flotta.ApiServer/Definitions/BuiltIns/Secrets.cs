using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

internal static class Secrets
{
    private const int MaxSize = 1024 * 1024;
    private const string ServiceAccountName = "kubernetes.io/service-account.name";

    public static ResourceDefinition Definition { get; } = ResourceDefinition.OfServer("", "Secret", namespaced: true) with
    {
        SelectableFields = ["type"],
        Normalise = Normalise,
        Check = Check,
        PrinterColumns = [Cells.Name, Cells.Column("Type", "What kind of secret it is."), Cells.Column("Data", "How many entries it has."), Cells.Age],
        Cells = (item, now) => new(Cells.NameOf(item), item.TextAt("type"), Cells.Count(item["data"]), Cells.AgeOf(item, now)),
        Schema = new ObjectSchema(Models.Kind(
            "io.k8s.api.core.v1.Secret",
            "Secret holds secret data. The values in data are base64.",
            ("data", Models.BytesMap("The entries. Keys are letters, digits, '-', '_' and '.'; values are base64.")),
            ("immutable", Models.Flag("If true, the data cannot be changed any more; only metadata can.")),
            ("stringData", Models.TextMap("Entries as plain text, for writing only: they are merged into data, and win.")),
            ("type", Models.Text("What kind of secret it is: lets programs know what to expect.")))),
    };

    private static void Normalise(JsonObject item, JsonObject? old)
    {
        if (item["stringData"] is JsonObject texts)
        {
            if (item["data"] is not JsonObject data) item["data"] = data = [];
            foreach (var (key, value) in texts) data[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value.AsText() ?? ""));
            item.Remove("stringData");
        }

        if (item["data"] is JsonObject { Count: 0 }) item.Remove("data");
        if (item.TextAt("type").Length == 0) item["type"] = old?.TextAt("type") is { Length: > 0 } type ? type : "Opaque";
    }

    private static IReadOnlyList<FieldError> Check(JsonObject item, JsonObject? old)
    {
        var errors = ObjectMetadata.CheckBuiltInFinalizers(item).ToList();
        var data = item["data"] as JsonObject ?? [];
        foreach (var (key, _) in data) errors.AddRange(ObjectNames.CheckConfigKey(key).Select(wrong => FieldError.Invalid($"data[{key}]", key, wrong)));
        if (data.Sum(pair => Immutables.DecodedLength(pair.Value)) > MaxSize) errors.Add(FieldError.TooLong("data", MaxSize));
        CheckType(item, data, errors);
        if (old is null) return errors;
        if (item.TextAt("type") != old.TextAt("type")) errors.Add(FieldError.Invalid("type", item["type"], "field is immutable"));
        errors.AddRange(Immutables.Check(item, old, "data"));
        return errors;
    }

    private static void CheckType(JsonObject item, JsonObject data, List<FieldError> errors)
    {
        switch (item.TextAt("type"))
        {
            case "kubernetes.io/tls":
                Require("data[tls.crt]", "tls.crt");
                Require("data[tls.key]", "tls.key");
                break;
            case "kubernetes.io/dockerconfigjson":
                RequireJson(".dockerconfigjson");
                break;
            case "kubernetes.io/dockercfg":
                RequireJson(".dockercfg");
                break;
            case "kubernetes.io/basic-auth" when !data.ContainsKey("username") && !data.ContainsKey("password"):
                errors.Add(FieldError.Required("data[%s][username]"));
                errors.Add(FieldError.Required("data[%s][password]"));
                break;
            case "kubernetes.io/ssh-auth" when (data["ssh-privatekey"].AsText() ?? "").Length == 0:
                errors.Add(FieldError.Required("data[%s][ssh-privatekey]"));
                break;
            case "kubernetes.io/service-account-token" when item["metadata"].At("annotations").TextAt(ServiceAccountName).Length == 0:
                errors.Add(FieldError.Required($"metadata.annotations[{ServiceAccountName}]"));
                break;
        }

        void Require(string field, string key)
        {
            if (!data.ContainsKey(key)) errors.Add(FieldError.Required(field));
        }

        void RequireJson(string key)
        {
            if (!data.ContainsKey(key)) errors.Add(FieldError.Required($"data[{key}]"));
            else if (WhyNotJson(data[key].AsText() ?? "") is { } problem)
                errors.Add(FieldError.Invalid($"data[{key}]", "<secret contents redacted>", problem));
        }
    }

    private static string? WhyNotJson(string base64)
    {
        try
        {
            using var document = JsonDocument.Parse(Convert.FromBase64String(base64));
            return document.RootElement.ValueKind == JsonValueKind.Object ? null : $"json: cannot unmarshal {document.RootElement.ValueKind} into Go value of type map";
        }
        catch (JsonException)
        {
            // The reader's own sentence would quote the secret's bytes.
            return "invalid character looking for beginning of value";
        }
        catch (FormatException)
        {
            return "illegal base64 data";
        }
    }
}
