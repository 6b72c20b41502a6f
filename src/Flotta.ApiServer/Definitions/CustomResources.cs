using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>From a CustomResourceDefinition object to what is served.</summary>
internal static class CustomResources
{
    /// <summary>Fills in the CRD's own defaults (names.singular, names.listKind, conversion, …), in place.</summary>
    public static void Default(JsonObject crd)
    {
        if (crd["spec"] is not JsonObject spec) return;
        if (spec["names"] is JsonObject names && names.TextAt("kind") is { Length: > 0 } kind)
        {
            if (names.TextAt("singular").Length == 0) names["singular"] = kind.ToLowerInvariant();
            if (names.TextAt("listKind").Length == 0) names["listKind"] = kind + "List";
        }

        if (spec["conversion"] is null) spec["conversion"] = new JsonObject { ["strategy"] = "None" };
        if (spec["preserveUnknownFields"].AsBoolean() == false) spec.Remove("preserveUnknownFields");
    }

    /// <summary>All that is wrong with the CRD; old is null on create.</summary>
    public static IReadOnlyList<FieldError> Validate(JsonObject crd, JsonObject? old) => CustomResourceRules.Check(crd, old);

    /// <summary>One definition per served version, of a CRD that is valid; the newest, most stable version first.</summary>
    public static IReadOnlyList<ResourceDefinition> Parse(JsonObject crd)
    {
        var spec = (JsonObject)crd["spec"]!;
        return
        [
            .. spec["versions"].Objects().Where(version => version["served"].AsBoolean() == true)
                .OrderBy(version => version.TextAt("name"), VersionOrder.Instance)
                .Select(version => Parse(spec, version)),
        ];
    }

    /// <summary>The version that objects are stored in.</summary>
    public static string StorageVersion(JsonObject crd) =>
        crd["spec"].At("versions").Objects().First(version => version["storage"].AsBoolean() == true).TextAt("name");

    /// <summary>Sets status in place: acceptedNames, storedVersions, conditions NamesAccepted and Established (kept with their times where they are already so).</summary>
    /// <param name="nameConflict">Null, or what the NamesAccepted=False condition says.</param>
    public static void Establish(JsonObject crd, string? nameConflict, DateTimeOffset now)
    {
        if (crd["status"] is not JsonObject status) crd["status"] = status = [];
        var established = status["conditions"].Objects().Any(each => each.TextAt("type") == "Established" && each.TextAt("status") == "True");
        if (nameConflict is null)
        {
            SetCondition(status, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now);
            SetCondition(status, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted", now);
            status["acceptedNames"] = crd["spec"].At("names")?.DeepClone();
        }
        else
        {
            SetCondition(status, "NamesAccepted", "False", "NamesConflict", nameConflict, now);
            // Once established it stays so, with the names that were accepted.
            if (!established) SetCondition(status, "Established", "False", "NotAccepted", "not all names are accepted", now);
            status["acceptedNames"] ??= new JsonObject { ["plural"] = "", ["kind"] = "" };
        }

        StoreVersions(status, StorageVersion(crd));
    }

    private static void StoreVersions(JsonObject status, string version)
    {
        if (status["storedVersions"] is not JsonArray stored) status["storedVersions"] = stored = [];
        if (!stored.Texts().Contains(version, StringComparer.Ordinal)) stored.Add((JsonNode)version);
    }

    private static void SetCondition(JsonObject status, string type, string value, string reason, string message, DateTimeOffset now)
    {
        if (status["conditions"] is not JsonArray conditions) status["conditions"] = conditions = [];
        if (conditions.Objects().FirstOrDefault(each => each.TextAt("type") == type) is not { } condition)
            conditions.Add((JsonNode)(condition = new JsonObject { ["type"] = type }));
        if (condition.TextAt("status") != value || condition["lastTransitionTime"] is null)
        {
            condition["status"] = value;
            condition["lastTransitionTime"] = now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture);
        }

        condition["reason"] = reason;
        condition["message"] = message;
    }

    private static ResourceDefinition Parse(JsonObject spec, JsonObject version)
    {
        var names = (JsonObject)spec["names"]!;
        var group = spec.TextAt("group");
        var kind = names.TextAt("kind");
        var name = version.TextAt("name");
        return new ResourceDefinition
        {
            Group = group,
            Version = name,
            Plural = names.TextAt("plural"),
            Singular = names.TextAt("singular"),
            Kind = kind,
            ListKind = names.TextAt("listKind"),
            ShortNames = [.. names["shortNames"].Texts()],
            Categories = [.. names["categories"].Texts()],
            Namespaced = spec.TextAt("scope") == "Namespaced",
            HasStatus = version["subresources"].At("status") is JsonObject,
            Scale = version["subresources"].At("scale") is JsonObject scale
                ? new ScaleSubresource(scale.TextAt("specReplicasPath"), scale.TextAt("statusReplicasPath"), scale["labelSelectorPath"].AsText())
                : null,
            Schema = version["schema"].At("openAPIV3Schema") is JsonObject schema ? ObjectSchema.Of((JsonObject)schema.DeepClone()) : null,
            PrinterColumns = [.. version["additionalPrinterColumns"].Objects().Select(Column)],
            SelectableFields = [.. version["selectableFields"].Objects().Select(field => field.TextAt("jsonPath").TrimStart('.'))],
            HasGeneration = true,
            DeprecationWarning = version["deprecated"].AsBoolean() == true
                ? version["deprecationWarning"].AsText() ?? $"{group}/{name} {kind} is deprecated"
                : null,
        };
    }

    private static PrinterColumn Column(JsonObject column) => new(
        column.TextAt("name"), column.TextAt("type"), column.TextAt("jsonPath"), column.TextAt("format"), column.TextAt("description"),
        (int)(column["priority"].AsInteger() ?? 0));
}
