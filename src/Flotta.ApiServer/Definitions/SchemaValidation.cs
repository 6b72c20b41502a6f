using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>Values against a schema, with the real server's sentences. List positions stand in the path, as newer servers have it.</summary>
internal static class SchemaValidation
{
    public static void Validate(JsonNode? value, Schema schema, string path, List<FieldError> errors)
    {
        if (value is null && schema.Nullable) return;
        CheckType(value, schema, path, errors);
        CheckCombinations(value, schema, path, errors);
        switch (value)
        {
            case JsonObject map:
                CheckMap(map, schema, path, errors);
                break;
            case JsonArray list:
                CheckList(list, schema, path, errors);
                break;
            case JsonValue when value.AsText() is { } text:
                CheckText(text, value, schema, path, errors);
                break;
            case JsonValue when value.AsNumber() is { } number:
                CheckNumber(number, value, schema, path, errors);
                break;
        }

        if (schema.Enum is { } allowed && !allowed.Any(each => JsonKinds.Same(each, value)))
            errors.Add(FieldError.NotSupported(path, value, allowed.Select(each => each.AsText() ?? GoText.Value(each))));
    }

    private static void CheckType(JsonNode? value, Schema schema, string path, List<FieldError> errors)
    {
        var kind = value.Kind();
        if (schema.IntOrString)
        {
            if (kind is not ("integer" or "string")) errors.Add(WrongType(path, "integer,string", kind));
        }
        else if (schema.Type.Length > 0 && kind != schema.Type && !(kind == "integer" && schema.Type == "number"))
        {
            errors.Add(WrongType(path, schema.Type, kind));
        }
    }

    private static FieldError WrongType(string path, string expected, string kind) =>
        FieldError.Invalid(path, kind, $"{path} in body must be of type {expected}: \"{kind}\"");

    private static void CheckMap(JsonObject map, Schema schema, string path, List<FieldError> errors)
    {
        if (schema.MaxProperties is { } most && map.Count > most)
            errors.Add(FieldError.Invalid(path, most, $"{path} in body should have at most {most} properties"));
        if (schema.MinProperties is { } least && map.Count < least)
            errors.Add(FieldError.Invalid(path, least, $"{path} in body should have at least {least} properties"));
        foreach (var name in schema.Required)
        {
            if (!map.ContainsKey(name)) errors.Add(FieldError.Required(FieldPath.Child(path, name)));
        }

        foreach (var (name, child) in map)
        {
            var property = schema.Properties.GetValueOrDefault(name) ?? schema.AdditionalProperties;
            if (property is not null) Validate(child, property, FieldPath.Child(path, name), errors);
        }
    }

    private static void CheckList(JsonArray list, Schema schema, string path, List<FieldError> errors)
    {
        if (schema.Items is { } items)
        {
            for (var i = 0; i < list.Count; i++) Validate(list[i], items, $"{path}[{i}]", errors);
        }

        if (schema.MinItems is { } least && list.Count < least)
            errors.Add(FieldError.Invalid(path, list.Count, $"{path} in body should have at least {least} items"));
        if (schema.MaxItems is { } most && list.Count > most)
            errors.Add(FieldError.Invalid(path, list.Count, $"{path} in body should have at most {most} items"));
    }

    private static void CheckText(string text, JsonNode value, Schema schema, string path, List<FieldError> errors)
    {
        if (schema.MaxLength is { } || schema.MinLength is { })
        {
            var length = text.EnumerateRunes().Count();
            if (length > schema.MaxLength)
            {
                errors.Add(FieldError.Invalid(path, value, $"{path} in body should be at most {schema.MaxLength} chars long"));
                return;
            }

            if (length < schema.MinLength)
            {
                errors.Add(FieldError.Invalid(path, value, $"{path} in body should be at least {schema.MinLength} chars long"));
                return;
            }
        }

        if (schema.PatternRegex is { } regex && !regex.IsMatch(text))
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should match '{schema.Pattern}'"));
        if (schema.Format.Length > 0 && !Formats.Accepts(schema.Format, text))
            errors.Add(FieldError.Invalid(path, value, $"{path} in body must be of type {schema.Format}: {GoText.Quote(text)}"));
    }

    private static void CheckNumber(double number, JsonNode value, Schema schema, string path, List<FieldError> errors)
    {
        if (schema.MultipleOf is { } step and > 0 && !IsMultiple(number, step))
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be a multiple of {GoText.Number(step)}"));
        if (schema.Maximum is { } most && (number > most || (schema.ExclusiveMaximum && number == most)))
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be less than {(schema.ExclusiveMaximum ? "" : "or equal to ")}{GoText.Number(most)}"));
        if (schema.Minimum is { } least && (number < least || (schema.ExclusiveMinimum && number == least)))
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be greater than {(schema.ExclusiveMinimum ? "" : "or equal to ")}{GoText.Number(least)}"));
    }

    private static bool IsMultiple(double number, double step)
    {
        var times = number / step;
        return double.IsFinite(times) && Math.Abs(times - Math.Round(times)) <= 1e-9 * Math.Max(1, Math.Abs(times));
    }

    private static void CheckCombinations(JsonNode? value, Schema schema, string path, List<FieldError> errors)
    {
        if (schema.AnyOf.Count > 0 && Nearest(value, schema.AnyOf, path, out var matches) is var anyFailures && matches == 0)
        {
            errors.Add(Combination(path, "must validate at least one schema (anyOf)"));
            errors.AddRange(anyFailures);
        }

        if (schema.OneOf.Count > 0 && Nearest(value, schema.OneOf, path, out matches) is var oneFailures && matches != 1)
        {
            var found = matches == 0 ? "none valid" : $"{matches} valid alternatives";
            errors.Add(Combination(path, $"must validate one and only one schema (oneOf). Found {found}"));
            if (matches == 0) errors.AddRange(oneFailures);
        }

        if (schema.AllOf.Count > 0) CheckAll(value, schema, path, errors);
        if (schema.Not is { } not && Failures(value, not, path).Count == 0) errors.Add(Combination(path, "must not validate the schema (not)"));
    }

    private static void CheckAll(JsonNode? value, Schema schema, string path, List<FieldError> errors)
    {
        var valid = 0;
        foreach (var each in schema.AllOf)
        {
            var failures = Failures(value, each, path);
            if (failures.Count == 0) valid++;
            errors.AddRange(failures);
        }

        if (valid < schema.AllOf.Count) errors.Add(Combination(path, "must validate all the schemas (allOf)" + (valid == 0 ? ". None validated" : "")));
    }

    // Of several that fail the first with the fewest errors is told: it is what the author most likely meant.
    private static List<FieldError> Nearest(JsonNode? value, IReadOnlyList<Schema> schemas, string path, out int matches)
    {
        List<FieldError>? nearest = null;
        matches = 0;
        foreach (var schema in schemas)
        {
            var failures = Failures(value, schema, path);
            if (failures.Count == 0) matches++;
            else if (nearest is null || failures.Count < nearest.Count) nearest = failures;
        }

        return nearest ?? [];
    }

    private static List<FieldError> Failures(JsonNode? value, Schema schema, string path)
    {
        var errors = new List<FieldError>();
        Validate(value, schema, path, errors);
        return errors;
    }

    // The real server knows no field here and writes so.
    private static FieldError Combination(string path, string sentence) => FieldError.Invalid("<nil>", "", $"\"{path}\" {sentence}");
}
