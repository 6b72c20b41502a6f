using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>All that can be wrong with the webhooks of a configuration.</summary>
internal static class WebhookRules
{
    private static readonly string[] Operations = ["*", "CREATE", "UPDATE", "DELETE", "CONNECT"];

    public static IReadOnlyList<FieldError> Check(JsonObject item)
    {
        var errors = new List<FieldError>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var i = -1;
        foreach (var webhook in item["webhooks"].Objects())
        {
            var path = $"webhooks[{++i}]";
            CheckName(webhook.TextAt("name"), path + ".name", names, errors);
            CheckVersions(webhook, path + ".admissionReviewVersions", errors);
            var j = -1;
            foreach (var rule in webhook["rules"].Objects()) CheckRule(rule, $"{path}.rules[{++j}]", errors);
            OneOf(webhook, path, "failurePolicy", ["Fail", "Ignore"], errors);
            OneOf(webhook, path, "matchPolicy", ["Equivalent", "Exact"], errors);
            if (webhook["sideEffects"] is null) errors.Add(FieldError.Required(path + ".sideEffects", "must specify one of None, NoneOnDryRun"));
            else OneOf(webhook, path, "sideEffects", ["None", "NoneOnDryRun"], errors);
            OneOf(webhook, path, "reinvocationPolicy", ["IfNeeded", "Never"], errors);
            if (webhook["timeoutSeconds"].AsInteger() is { } seconds and (< 1 or > 30))
                errors.Add(FieldError.Invalid(path + ".timeoutSeconds", seconds, "the timeout value must be between 1 and 30 seconds"));
            CheckClient(webhook["clientConfig"], path + ".clientConfig", errors);
            if (Cells.Count(webhook["matchConditions"]) > 0)
                errors.Add(FieldError.Forbidden(path + ".matchConditions", "CEL expressions are not supported by this server"));
        }

        return errors;
    }

    private static void CheckName(string name, string path, HashSet<string> names, List<FieldError> errors)
    {
        if (name.Length == 0)
        {
            errors.Add(FieldError.Required(path));
            return;
        }

        var wrong = ObjectNames.CheckDnsSubdomain(name).ToList();
        errors.AddRange(wrong.Select(each => FieldError.Invalid(path, name, each)));
        if (wrong.Count == 0 && name.Split('.').Length < 3)
            errors.Add(FieldError.Invalid(path, name, "should be a domain with at least three segments separated by dots"));
        if (!names.Add(name)) errors.Add(FieldError.Duplicate(path, name));
    }

    private static void CheckVersions(JsonObject webhook, string path, List<FieldError> errors)
    {
        var versions = webhook["admissionReviewVersions"].Texts().ToList();
        if (versions.Count == 0) errors.Add(FieldError.Required(path, "must specify one of v1, v1beta1"));
        else if (!versions.Contains("v1", StringComparer.Ordinal))
            errors.Add(new FieldError(path, "FieldValueInvalid",
                $"Invalid value: []string{{{string.Join(", ", versions.Select(GoText.Quote))}}}: must include at least one of v1, v1beta1"));
    }

    private static void CheckRule(JsonObject rule, string path, List<FieldError> errors)
    {
        foreach (var field in (ReadOnlySpan<string>)["operations", "apiGroups", "apiVersions", "resources"])
        {
            var values = rule[field].Texts().ToList();
            if (values.Count == 0) errors.Add(FieldError.Required($"{path}.{field}"));
            if (values.Count > 1 && values.Contains("*", StringComparer.Ordinal) && field != "resources")
                errors.Add(FieldError.Invalid($"{path}.{field}", rule[field], "if '*' is present, must not specify other " + (field == "apiGroups" ? "API groups" : field == "apiVersions" ? "API versions" : "operations")));
            for (var i = 0; i < values.Count; i++)
            {
                if (field == "operations" && !Operations.Contains(values[i], StringComparer.Ordinal))
                    errors.Add(FieldError.NotSupported($"{path}.operations[{i}]", values[i], Operations.Order(StringComparer.Ordinal)));
                else if (values[i].Length == 0 && field is ("apiVersions" or "resources")) errors.Add(FieldError.Required($"{path}.{field}[{i}]"));
            }
        }

        OneOf(rule, path, "scope", ["*", "Cluster", "Namespaced"], errors);
    }

    private static void CheckClient(JsonNode? client, string path, List<FieldError> errors)
    {
        var (url, service) = (client.At("url").AsText(), client.At("service") as JsonObject);
        if (url is null == service is null)
        {
            errors.Add(FieldError.Required(path, "exactly one of url or service is required"));
        }
        else if (url is not null)
        {
            const string Form = "desired format: https://host[/path]";
            if (!Uri.TryCreate(url, UriKind.Absolute, out var address)) errors.Add(FieldError.Required(path + ".url", $"url must be a valid URL: {Form}"));
            else if (address.Scheme != Uri.UriSchemeHttps) errors.Add(FieldError.Invalid(path + ".url", address.Scheme, $"'https' is the only allowed URL scheme; {Form}"));
            else if (address.UserInfo.Length > 0) errors.Add(FieldError.Invalid(path + ".url", url, "user information is not permitted in the URL"));
            else if (address.Query.Length > 0) errors.Add(FieldError.Invalid(path + ".url", address.Query[1..], "query parameters are not permitted in the URL"));
            else if (address.Fragment.Length > 0) errors.Add(FieldError.Invalid(path + ".url", address.Fragment[1..], "fragments are not permitted in the URL"));
        }
        else
        {
            foreach (var field in (ReadOnlySpan<string>)["name", "namespace"])
            {
                if (service.TextAt(field).Length == 0) errors.Add(FieldError.Required($"{path}.service.{field}", $"service {field} is required"));
            }

            if (service!["port"].AsInteger() is { } port and (< 1 or > 65535)) errors.Add(FieldError.Invalid(path + ".service.port", port, "port is not valid: must be between 1 and 65535, inclusive"));
        }
    }

    private static void OneOf(JsonObject item, string path, string field, string[] supported, List<FieldError> errors)
    {
        if (item[field].AsText() is { } value && !supported.Contains(value, StringComparer.Ordinal)) errors.Add(FieldError.NotSupported($"{path}.{field}", value, supported));
    }
}
