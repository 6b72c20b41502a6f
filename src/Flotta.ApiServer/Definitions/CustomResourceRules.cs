using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>What a CustomResourceDefinition must be, all errors together.</summary>
internal static class CustomResourceRules
{
    private static readonly string[] ColumnTypes = ["boolean", "date", "integer", "number", "string"];
    private static readonly string[] ColumnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

    public static IReadOnlyList<FieldError> Check(JsonObject crd, JsonObject? old)
    {
        var errors = new List<FieldError>();
        var spec = crd["spec"] as JsonObject ?? [];
        var names = spec["names"] as JsonObject ?? [];
        var group = spec.TextAt("group");
        var name = crd["metadata"].TextAt("name");
        if (name != $"{names.TextAt("plural")}.{group}")
            errors.Add(FieldError.Invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group"));
        CheckGroup(crd, group, errors);
        if (spec["scope"].AsText() is not { Length: > 0 } scope) errors.Add(FieldError.Required("spec.scope"));
        else if (scope is not ("Cluster" or "Namespaced")) errors.Add(FieldError.NotSupported("spec.scope", scope, ["Cluster", "Namespaced"]));
        CheckVersions(crd, spec, errors);
        CheckNames(names, errors);
        CheckConversion(spec, errors);
        if (spec["preserveUnknownFields"].AsBoolean() == true)
            errors.Add(FieldError.Invalid("spec.preserveUnknownFields", true,
                "cannot set to true, set x-preserve-unknown-fields to true in spec.versions[*].schema instead"));
        if (old is not null) CheckUnchanged(spec, old, errors);
        return errors;
    }

    private static void CheckGroup(JsonObject crd, string group, List<FieldError> errors)
    {
        if (group.Length == 0)
        {
            errors.Add(FieldError.Required("spec.group"));
            return;
        }

        var wrong = ObjectNames.CheckDnsSubdomain(group).Select(each => FieldError.Invalid("spec.group", group, each)).ToList();
        if (wrong.Count == 0 && !group.Contains('.', StringComparison.Ordinal))
            wrong.Add(FieldError.Invalid("spec.group", group, "should be a domain with at least one dot"));
        errors.AddRange(wrong);
        var isProtected = group is "k8s.io" or "kubernetes.io" || group.EndsWith(".k8s.io", StringComparison.Ordinal) || group.EndsWith(".kubernetes.io", StringComparison.Ordinal);
        if (isProtected && crd["metadata"].At("annotations").TextAt("api-approved.kubernetes.io").Length == 0)
            errors.Add(FieldError.Required("metadata.annotations[api-approved.kubernetes.io]",
                "protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111"));
    }

    private static void CheckVersions(JsonObject crd, JsonObject spec, List<FieldError> errors)
    {
        var versions = spec["versions"].Objects().ToList();
        // Like the real server's storage, which keeps what all versions share once and then complains about it there.
        var shared = versions.Count > 0 && versions.Skip(1).All(each => SameBody(each, versions[0]));
        for (var i = 0; i < versions.Count; i++)
        {
            var path = $"spec.versions[{i}]";
            CheckVersion(versions[i], path, errors);
            if (i == 0 || !shared) CheckBody(versions[i], shared ? "spec" : path, path, shared ? "spec.validation" : path + ".schema", errors);
        }

        if (versions.Select(each => each.TextAt("name")).Distinct(StringComparer.Ordinal).Count() < versions.Count)
            errors.Add(FieldError.Invalid("spec.versions", spec["versions"], "must contain unique version names"));
        var stored = versions.Where(each => each["storage"].AsBoolean() == true).Select(each => each.TextAt("name")).ToList();
        if (stored.Count != 1) errors.Add(FieldError.Invalid("spec.versions", spec["versions"], "must have exactly one version marked as storage version"));
        if (versions.FirstOrDefault()?.TextAt("name") is { } first)
            errors.AddRange(ObjectNames.CheckDns1035Label(first).Select(wrong => FieldError.Invalid("spec.version", first, wrong)));
        CheckStoredVersions(crd, versions, stored, errors);
    }

    private static void CheckStoredVersions(JsonObject crd, List<JsonObject> versions, List<string> stored, List<FieldError> errors)
    {
        if (stored.Count == 0)
            errors.Add(new FieldError("status.storedVersions", "FieldValueInvalid", "Invalid value: []string(nil): must have at least one stored version"));
        if (stored.Count > 1)
            errors.Add(FieldError.Invalid("status.storedVersions", versions.Last(each => each["storage"].AsBoolean() == true), "must have the storage version " + stored[^1]));
        var known = versions.Select(each => each.TextAt("name")).ToHashSet(StringComparer.Ordinal);
        var before = crd["status"].At("storedVersions").Texts().ToList();
        for (var i = 0; i < before.Count; i++)
        {
            if (!known.Contains(before[i])) errors.Add(FieldError.Invalid($"status.storedVersions[{i}]", before[i], "must appear in spec.versions"));
        }
    }

    private static bool SameBody(JsonObject one, JsonObject other) =>
        JsonKinds.Same(one["schema"], other["schema"]) && JsonKinds.Same(one["subresources"], other["subresources"]) &&
        JsonKinds.Same(one["additionalPrinterColumns"], other["additionalPrinterColumns"]);

    private static void CheckVersion(JsonObject version, string path, List<FieldError> errors)
    {
        var name = version.TextAt("name");
        errors.AddRange(ObjectNames.CheckDns1035Label(name).Select(wrong => FieldError.Invalid(path + ".name", name, wrong)));
        if (version["deprecationWarning"].AsText() is not { } warning) return;
        if (version["deprecated"].AsBoolean() != true)
            errors.Add(FieldError.Invalid(path + ".deprecationWarning", warning, "can only be set for deprecated versions"));
        if (warning.Length is 0 or > 256 || warning.Any(char.IsControl))
            errors.Add(FieldError.Invalid(path + ".deprecationWarning", warning, "must only contain printable UTF-8 characters; non-printable characters found"));
    }

    private static void CheckBody(JsonObject version, string path, string own, string schemaPath, List<FieldError> errors)
    {
        if (version["schema"].At("openAPIV3Schema") is JsonObject schema)
        {
            StructuralRules.CheckRoot(schema, schemaPath + ".openAPIV3Schema", errors);
            SelectableFieldRules.Check(version, schema, own, errors);
        }
        else
        {
            errors.Add(FieldError.Required(own + ".schema.openAPIV3Schema", "schemas are required"));
        }

        if (version["subresources"].At("scale") is JsonObject scale) CheckScale(scale, path + ".subresources.scale", errors);
        CheckColumns(version, path + ".additionalPrinterColumns", errors);
    }

    private static void CheckScale(JsonObject scale, string path, List<FieldError> errors)
    {
        CheckPath("specReplicasPath", required: true, "should be a json path under .spec", ".spec.");
        CheckPath("statusReplicasPath", required: true, "should be a json path under .status", ".status.");
        CheckPath("labelSelectorPath", required: false, "should be a json path under either .spec or .status", ".spec.", ".status.");

        void CheckPath(string field, bool required, string mustBe, params ReadOnlySpan<string> roots)
        {
            var text = scale.TextAt(field);
            if (text.Length == 0)
            {
                if (required) errors.Add(FieldError.Required($"{path}.{field}"));
            }
            else if (text[0] != '.' || JsonPath.Compile(text) is null)
            {
                errors.Add(FieldError.Invalid($"{path}.{field}", text, "must be a simple json path starting with ."));
            }
            else if (!StartsWithAny(text, roots))
            {
                errors.Add(FieldError.Invalid($"{path}.{field}", text, mustBe));
            }
        }
    }

    private static bool StartsWithAny(string text, ReadOnlySpan<string> roots)
    {
        foreach (var root in roots)
        {
            if (text.StartsWith(root, StringComparison.Ordinal)) return true;
        }

        return false;
    }

    private static void CheckColumns(JsonObject version, string path, List<FieldError> errors)
    {
        var i = -1;
        foreach (var column in version["additionalPrinterColumns"].Objects())
        {
            var at = $"{path}[{++i}]";
            var type = column.TextAt("type");
            if (column.TextAt("name").Length == 0) errors.Add(FieldError.Required(at + ".name"));
            if (type.Length == 0) errors.Add(FieldError.Required(at + ".type", "must be one of " + string.Join(',', ColumnTypes)));
            else if (!ColumnTypes.Contains(type, StringComparer.Ordinal))
                errors.Add(FieldError.Invalid(at + ".type", type, "must be one of " + string.Join(',', ColumnTypes)));
            if (column.TextAt("format") is { Length: > 0 } format && !ColumnFormats.Contains(format, StringComparer.Ordinal))
                errors.Add(FieldError.Invalid(at + ".format", format, "must be one of " + string.Join(',', ColumnFormats)));
            var jsonPath = column.TextAt("jsonPath");
            if (jsonPath.Length == 0) errors.Add(FieldError.Required(at + ".JSONPath"));
            else if (jsonPath[0] != '.' || JsonPath.Compile(jsonPath) is null)
                errors.Add(FieldError.Invalid(at + ".JSONPath", jsonPath, "must be a simple json path starting with ."));
        }
    }

    private static void CheckNames(JsonObject names, List<FieldError> errors)
    {
        CheckWord("plural", lowered: false);
        CheckWord("singular", lowered: false);
        CheckList("shortNames");
        CheckWord("kind", lowered: true);
        CheckWord("listKind", lowered: true);
        if (names.TextAt("kind") is { Length: > 0 } kind && kind == names.TextAt("listKind"))
            errors.Add(FieldError.Invalid("spec.names.listKind", kind, "kind and listKind may not be the same"));
        CheckList("categories");

        void CheckWord(string field, bool lowered)
        {
            var text = names.TextAt(field);
            if (text.Length == 0) errors.Add(FieldError.Required("spec.names." + field));
            else
                errors.AddRange(ObjectNames.CheckDns1035Label(lowered ? text.ToLowerInvariant() : text)
                    .Select(wrong => FieldError.Invalid("spec.names." + field, text, lowered ? "may have mixed case, but should otherwise match: " + wrong : wrong)));
        }

        void CheckList(string field) =>
            errors.AddRange(names[field].Texts().SelectMany((text, i) =>
                ObjectNames.CheckDns1035Label(text).Select(wrong => FieldError.Invalid($"spec.names.{field}[{i}]", text, wrong))));
    }

    private static void CheckConversion(JsonObject spec, List<FieldError> errors)
    {
        if (spec["conversion"] is not JsonObject conversion) return;
        var strategy = conversion.TextAt("strategy");
        if (strategy.Length == 0) errors.Add(FieldError.Required("spec.conversion.strategy"));
        else if (strategy is not ("None" or "Webhook")) errors.Add(FieldError.NotSupported("spec.conversion.strategy", strategy, ["None", "Webhook"]));
        if (strategy != "Webhook") return;
        if (conversion["webhook"].At("clientConfig") is null) errors.Add(FieldError.Required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook"));
        if (!conversion["webhook"].At("conversionReviewVersions").Texts().Any()) errors.Add(FieldError.Required("spec.conversion.conversionReviewVersions"));
        // With one version it is never called; CRDs carry it out of habit.
        if (spec["versions"].Objects().Skip(1).Any())
            errors.Add(FieldError.Forbidden("spec.conversion.strategy", "conversion webhooks are not supported by this server; use None"));
    }

    private static void CheckUnchanged(JsonObject spec, JsonObject old, List<FieldError> errors)
    {
        var before = old["spec"];
        var established = old["status"].At("conditions").Objects().Any(each => each.TextAt("type") == "Established" && each.TextAt("status") == "True");
        if (established)
        {
            Immutable("scope");
            Immutable("names", "kind");
        }

        Immutable("group");
        Immutable("names", "plural");

        void Immutable(params ReadOnlySpan<string> path)
        {
            if (!JsonKinds.Same(spec.At(path), before.At(path)))
                errors.Add(FieldError.Invalid("spec." + string.Join('.', path), spec.At(path), "field is immutable"));
        }
    }
}
