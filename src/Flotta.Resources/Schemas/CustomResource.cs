using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using k8s.Models;

namespace Flotta.Resources.Schemas;

/// <summary>The definition of one of our kinds, from its record.</summary>
[RequiresUnreferencedCode("Reads the properties of every record.")]
internal static class CustomResource
{
    public static V1CustomResourceDefinition Define<T>(string? shortName, params V1CustomResourceColumnDefinition[] columns)
        where T : k8s.IKubernetesObject<V1ObjectMeta>
    {
        var entity = typeof(T).GetCustomAttribute<KubernetesEntityAttribute>()!;
        return new()
        {
            ApiVersion = "apiextensions.k8s.io/v1",
            Kind = "CustomResourceDefinition",
            Metadata = new() { Name = $"{entity.PluralName}.{entity.Group}" },
            Spec = new()
            {
                Group = entity.Group,
                Names = new()
                {
                    Kind = entity.Kind,
                    ListKind = entity.Kind + "List",
                    Plural = entity.PluralName,
                    Singular = entity.Kind.ToLowerInvariant(),
                    ShortNames = shortName is null ? null : [shortName],
                },
                Scope = "Namespaced",
                Versions =
                [
                    new()
                    {
                        Name = entity.ApiVersion,
                        Served = true,
                        Storage = true,
                        Schema = new() { OpenAPIV3Schema = Root(typeof(T)) },
                        Subresources = new() { Status = new Dictionary<string, string>(StringComparer.Ordinal) },
                        AdditionalPrinterColumns = columns.Length == 0 ? null : columns,
                    },
                ],
            },
        };
    }

    public static V1CustomResourceColumnDefinition Column(string name, string type, string jsonPath, string? description = null, bool wide = false) =>
        new() { Name = name, Type = type, JsonPath = jsonPath, Description = description, Priority = wide ? 1 : null };

    private static V1JSONSchemaProps Root(Type type) => new()
    {
        Type = "object",
        Description = type.GetCustomAttribute<DescriptionAttribute>()?.Description,
        Properties = new Dictionary<string, V1JSONSchemaProps>(StringComparer.Ordinal)
        {
            ["apiVersion"] = new() { Type = "string" },
            ["kind"] = new() { Type = "string" },
            ["metadata"] = new() { Type = "object" },
            ["spec"] = Schema.Of(type.GetProperty("Spec")!.PropertyType),
            ["status"] = Schema.Of(type.GetProperty("Status")!.PropertyType),
        },
    };
}
