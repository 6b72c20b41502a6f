using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>spec.versions[].selectableFields: simple paths to text, numbers and flags.</summary>
internal static class SelectableFieldRules
{
    private const int Most = 8;

    public static void Check(JsonObject version, JsonObject schema, string path, List<FieldError> errors)
    {
        var fields = version["selectableFields"].Objects().ToList();
        if (fields.Count > Most) errors.Add(FieldError.TooMany(path + ".selectableFields", fields.Count, Most));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < fields.Count; i++)
        {
            var at = $"{path}.selectableFields[{i}].jsonPath";
            var text = fields[i].TextAt("jsonPath");
            if (text.Length == 0)
            {
                errors.Add(FieldError.Required(at));
                continue;
            }

            if (!seen.Add(text)) errors.Add(FieldError.Duplicate(at, text));
            if (text.StartsWith(".metadata", StringComparison.Ordinal)) errors.Add(FieldError.Invalid(at, text, "must not point to fields in metadata"));
            else if (TypeAt(schema, text) is not ("string" or "boolean" or "integer"))
                errors.Add(FieldError.Invalid(at, text, "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."));
        }
    }

    private static string? TypeAt(JsonObject schema, string path)
    {
        if (path[0] != '.') return null;
        JsonNode? node = schema;
        foreach (var name in path[1..].Split('.')) node = node.At("properties", name);
        return node?["type"].AsText();
    }
}
