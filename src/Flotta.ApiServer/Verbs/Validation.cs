using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;

namespace Flotta.ApiServer.Verbs;

/// <summary>All errors of an object in one answer.</summary>
internal static class Validation
{
    /// <exception cref="StatusException">422 with every cause.</exception>
    public static void Check(ServedResource served, JsonObject value, JsonObject? old)
    {
        var definition = served.Definition;
        List<FieldError> errors = [.. ObjectMetadata.Validate(definition, value, old)];
        errors.AddRange(definition.Schema?.Validate(value, old) ?? []);
        if (served.Resource == ServedResources.Definitions)
            errors.AddRange(CustomResources.Validate(value, old));
        if (definition.Scale is { } scale)
            errors.AddRange(CheckScale(scale, value));
        if (definition.Check is not null)
            errors.AddRange(definition.Check(value, old));
        if (errors.Count > 0)
            throw new StatusException(Status.Invalid(definition, value["metadata"]!["name"].Text() ?? "", errors));
    }

    // What is shown as a Scale must be one.
    private static IEnumerable<FieldError> CheckScale(ScaleSubresource scale, JsonObject value)
    {
        foreach (var path in (string[])[scale.SpecReplicasPath, scale.StatusReplicasPath])
        {
            if (ScaleKind.At(value, path).AsInteger() is not { } replicas)
                continue;
            if (replicas < 0)
                yield return FieldError.Invalid(path, replicas, "should be a non-negative integer");
            else if (replicas > int.MaxValue)
                yield return FieldError.Invalid(path, replicas, $"should be less than or equal to {int.MaxValue}");
        }
    }
}
