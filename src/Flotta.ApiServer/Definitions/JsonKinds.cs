using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>JSON values in the words of OpenAPI: which type, which number.</summary>
internal static class JsonKinds
{
    // Beyond this a float no longer counts as an integer, as in the validator that the real server uses.
    private const double MaxExactInteger = 9007199254740991;

    /// <summary>object, array, string, integer, number, boolean or null.</summary>
    public static string Kind(this JsonNode? node) => node switch
    {
        null => "null",
        JsonObject => "object",
        JsonArray => "array",
        _ => node.GetValueKind() switch
        {
            JsonValueKind.String => "string",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            JsonValueKind.Number => node.AsInteger() is not null ? "integer" : "number",
            _ => "null",
        },
    };

    public static string? AsText(this JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    public static bool? AsBoolean(this JsonNode? node) => node is not JsonValue value
        ? null
        : value.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        };

    /// <summary>3, and also 3.0 as long as a double holds it exactly.</summary>
    public static long? AsInteger(this JsonNode? node)
    {
        if (node.NumberText() is not { } text) return null;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exact)) return exact;
        return node.AsNumber() is { } number && Math.Abs(number) <= MaxExactInteger && Math.Floor(number) == number ? (long)number : null;
    }

    public static double? AsNumber(this JsonNode? node) =>
        node.NumberText() is { } text && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : null;

    /// <summary>The number as the client wrote it.</summary>
    public static string? NumberText(this JsonNode? node)
    {
        if (node is not JsonValue value || value.GetValueKind() != JsonValueKind.Number) return null;
        return value.TryGetValue<JsonElement>(out var element) ? element.GetRawText() : value.ToJsonString();
    }

    /// <summary>The node under a simple path of property names, or null.</summary>
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (node is not JsonObject parent || !parent.TryGetPropertyValue(name, out node)) return null;
        }

        return node;
    }

    public static string TextAt(this JsonNode? node, params ReadOnlySpan<string> path) => node.At(path).AsText() ?? "";

    /// <summary>The objects in a list, whatever else is in it.</summary>
    public static IEnumerable<JsonObject> Objects(this JsonNode? node) => node is JsonArray list ? list.OfType<JsonObject>() : [];

    public static IEnumerable<string> Texts(this JsonNode? node) => node is JsonArray list ? list.Select(item => item.AsText()).OfType<string>() : [];

    /// <summary>Equal as values: 1 and 1.0 are, property order does not count. Faster than a text comparison for large documents.</summary>
    public static bool Same(JsonNode? one, JsonNode? other)
    {
        if (ReferenceEquals(one, other)) return true;
        switch (one, other)
        {
            case (JsonObject left, JsonObject right):
                if (left.Count != right.Count) return false;
                foreach (var (name, value) in left)
                {
                    if (!right.TryGetPropertyValue(name, out var counterpart) || !Same(value, counterpart)) return false;
                }

                return true;
            case (JsonArray left, JsonArray right):
                if (left.Count != right.Count) return false;
                for (var i = 0; i < left.Count; i++)
                {
                    if (!Same(left[i], right[i])) return false;
                }

                return true;
            case (JsonValue left, JsonValue right):
                var kind = left.GetValueKind();
                if (kind != right.GetValueKind()) return false;
                return kind switch
                {
                    JsonValueKind.String => left.GetValue<string>() == right.GetValue<string>(),
                    JsonValueKind.Number => SameNumber(left, right),
                    _ => true,
                };
            default:
                return false;
        }
    }

    private static bool SameNumber(JsonValue left, JsonValue right) =>
        left.NumberText() == right.NumberText() ||
        (left.AsInteger() is { } one && right.AsInteger() is { } other ? one == other : left.AsNumber() is { } number && number.Equals(right.AsNumber()));
}
