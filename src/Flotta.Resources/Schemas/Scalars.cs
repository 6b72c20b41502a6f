using k8s.Models;

namespace Flotta.Resources.Schemas;

internal static class Scalars
{
    private const string QuantityPattern =
        @"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

    public static V1JSONSchemaProps? Find(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.String => new() { Type = "string" },
        TypeCode.Boolean => new() { Type = "boolean" },
        TypeCode.Int32 => new() { Type = "integer", Format = "int32" },
        TypeCode.Int64 => new() { Type = "integer", Format = "int64" },
        TypeCode.DateTime => new() { Type = "string", Format = "date-time" },
        _ when type == typeof(DateTimeOffset) => new() { Type = "string", Format = "date-time" },
        _ when type == typeof(byte[]) => new() { Type = "string", Format = "byte" },
        _ when type == typeof(IntOrString) => IntegerOrString(),
        _ when type == typeof(ResourceQuantity) => IntegerOrString() with { Pattern = QuantityPattern },
        _ => null,
    };

    private static V1JSONSchemaProps IntegerOrString() =>
        new() { AnyOf = [new() { Type = "integer" }, new() { Type = "string" }], XKubernetesIntOrString = true };
}
