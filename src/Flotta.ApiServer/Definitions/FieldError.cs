using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>One cause of a 422: reason is the wire's word (FieldValueInvalid, FieldValueRequired, FieldValueNotSupported, FieldValueTypeInvalid, FieldValueForbidden …).</summary>
/// <param name="Field">As the real server writes it: `spec.selector.matchLabels[app]`, `spec.ports[0].name`.</param>
/// <param name="Message">The whole text after the field and a colon in the real server's sentence: `Invalid value: "x": must be …`, `Required value`.</param>
internal sealed record FieldError(string Field, string Reason, string Message)
{
    /// <summary>The message of the 422 Status: `Kind.group "name" is invalid: …`; several errors stand in brackets, equal ones once.</summary>
    public static string Summary(string kind, string group, string name, IEnumerable<FieldError> errors)
    {
        var qualified = group.Length == 0 ? kind : $"{kind}.{group}";
        var distinct = errors.Select(error => error.ToString()).Distinct(StringComparer.Ordinal).ToList();
        var list = distinct.Count == 1 ? distinct[0] : "[" + string.Join(", ", distinct) + "]";
        return $"{qualified} {GoText.Quote(name)} is invalid: {list}";
    }

    /// <summary>The entry for status.details.causes.</summary>
    public JsonObject ToCause() => new() { ["reason"] = Reason, ["message"] = Message, ["field"] = Field };

    public override string ToString() => $"{Field}: {Message}";

    public static FieldError Required(string field, string detail = "") => new(field, "FieldValueRequired", Say("Required value", detail));

    public static FieldError Invalid(string field, JsonNode? value, string detail) =>
        new(field, "FieldValueInvalid", Say("Invalid value: " + GoText.Value(value), detail));

    /// <summary>For values that a message names by their type only: `Invalid value: "integer": …`.</summary>
    public static FieldError TypeInvalid(string field, JsonNode? value, string detail) =>
        new(field, "FieldValueTypeInvalid", Say("Invalid value: " + GoText.Value(value), detail));

    public static FieldError NotSupported(string field, JsonNode? value, IEnumerable<string> supported) =>
        new(field, "FieldValueNotSupported",
            Say("Unsupported value: " + GoText.Value(value), "supported values: " + string.Join(", ", supported.Select(GoText.Quote))));

    public static FieldError Forbidden(string field, string detail) => new(field, "FieldValueForbidden", Say("Forbidden", detail));

    public static FieldError Duplicate(string field, JsonNode? value) => new(field, "FieldValueDuplicate", "Duplicate value: " + GoText.Value(value));

    public static FieldError NotFound(string field, JsonNode? value) => new(field, "FieldValueNotFound", "Not found: " + GoText.Value(value));

    public static FieldError TooLong(string field, int maximum) => new(field, "FieldValueTooLong", $"Too long: must have at most {maximum} bytes");

    public static FieldError TooMany(string field, int actual, int maximum) =>
        new(field, "FieldValueTooMany", $"Too many: {actual}: must have at most {maximum} items");

    private static string Say(string what, string detail) => detail.Length == 0 ? what : $"{what}: {detail}";
}
