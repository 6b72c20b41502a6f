using System.Collections;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Flotta.Resources.Schemas;

/// <summary>
/// The structural schema of a record: its properties by their JSON names, with what their attributes say. Properties come sorted, so that
/// the order of declarations never shows in a diff of the generated files.
/// </summary>
[RequiresUnreferencedCode("Reads the properties of every record.")]
internal static class Schema
{
    public static V1JSONSchemaProps Of(Type type) => Of(type, null);

    private static V1JSONSchemaProps Of(Type type, MemberInfo? member)
    {
        var schema = Shape(Nullable.GetUnderlyingType(type) ?? type);
        schema.Description = member?.GetCustomAttribute<DescriptionAttribute>()?.Description
            ?? type.GetCustomAttribute<DescriptionAttribute>()?.Description;
        if (member is not null) Constrain(schema, member);
        return schema;
    }

    private static V1JSONSchemaProps Shape(Type type)
    {
        if (Scalars.Find(type) is { } scalar) return scalar;
        if (type == typeof(PodSpec)) return Of(typeof(V1PodSpec));
        // Kubernetes itself decides what metadata is, also inside of a claim template.
        if (type == typeof(V1ObjectMeta)) return new() { Type = "object" };
        if (Element(type, typeof(IReadOnlyDictionary<,>), typeof(IDictionary<,>)) is { } value)
            return new() { Type = "object", AdditionalProperties = Of(value) };
        return Element(type, typeof(IReadOnlyList<>), typeof(IList<>)) is { } item ? new() { Type = "array", Items = Of(item) } : Object(type);
    }

    private static V1JSONSchemaProps Object(Type type)
    {
        if (typeof(IEnumerable).IsAssignableFrom(type)) throw new NotSupportedException($"{type} has no schema.");
        var members = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetCustomAttribute<JsonPropertyNameAttribute>() is not null)
            .ToDictionary(property => property.GetCustomAttribute<JsonPropertyNameAttribute>()!.Name, StringComparer.Ordinal);
        var properties = members.ToDictionary(pair => pair.Key, pair => Of(pair.Value.PropertyType, pair.Value), StringComparer.Ordinal);
        var required = members.Where(pair => IsRequired(pair.Key, pair.Value)).Select(pair => pair.Key).Order(StringComparer.Ordinal).ToList();
        PodSchema.Refine(type, properties);
        return new()
        {
            Type = "object",
            Properties = properties.Count == 0 ? null : Sorted(properties),
            Required = required.Count == 0 ? null : required,
        };
    }

    private static bool IsRequired(string name, PropertyInfo property) =>
        property.GetCustomAttribute<RequiredAttribute>() is not null || PodSchema.Requires(property.DeclaringType!, name);

    private static void Constrain(V1JSONSchemaProps schema, MemberInfo member)
    {
        schema.EnumProperty = member.GetCustomAttribute<AllowedValuesAttribute>()?.Values.OfType<object>().ToList();
        schema.DefaultProperty = member.GetCustomAttribute<DefaultValueAttribute>()?.Value;
        schema.MinItems = member.GetCustomAttribute<MinItemsAttribute>()?.Count;
        if (member.GetCustomAttribute<RangeAttribute>() is not { } range) return;
        schema.Minimum = Convert.ToDouble(range.Minimum, null);
        // The type's own limit is no limit worth stating.
        schema.Maximum = range.Maximum is int.MaxValue or >= (double)long.MaxValue ? null : Convert.ToDouble(range.Maximum, null);
    }

    private static Type? Element(Type type, params Type[] definitions) =>
        type.IsGenericType && definitions.Contains(type.GetGenericTypeDefinition()) ? type.GetGenericArguments()[^1] : null;

    private static Dictionary<string, V1JSONSchemaProps> Sorted(Dictionary<string, V1JSONSchemaProps> properties) =>
        properties.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
}
