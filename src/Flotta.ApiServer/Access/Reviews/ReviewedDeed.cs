using System.Text.Json.Nodes;
using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Access.Reviews;

/// <summary>What an access review asks about.</summary>
internal static class ReviewedDeed
{
    public static AccessQuestion Of(JsonNode? spec) => spec.At("resourceAttributes") is JsonObject some
        ? new AccessQuestion(
            some.TextAt("verb"), some.TextAt("group"), some.TextAt("version"), some.TextAt("resource"), some.TextAt("subresource"), some.TextAt("namespace"), some.TextAt("name"))
        : AccessQuestion.OfPath(spec.TextAt("nonResourceAttributes", "verb"), spec.TextAt("nonResourceAttributes", "path"));

    public static FieldError PathProblem(JsonNode? spec, string why) => new(
        "spec.nonResourceAttributes", "FieldValueInvalid",
        $"Invalid value: authorization.NonResourceAttributes{{Path:{GoText.Quote(spec.TextAt("nonResourceAttributes", "path"))}, Verb:{GoText.Quote(spec.TextAt("nonResourceAttributes", "verb"))}}}: {why}");

    /// <summary>Exactly one thing must be asked.</summary>
    public static IEnumerable<FieldError> Problems(JsonNode? spec)
    {
        var (resource, path) = (spec.At("resourceAttributes") is JsonObject, spec.At("nonResourceAttributes") is JsonObject);
        if (resource && path)
            yield return PathProblem(spec, "cannot be specified in combination with resourceAttributes");
        if (!resource && !path)
            yield return FieldError.Invalid("spec.resourceAttributes", "null", "exactly one of nonResourceAttributes or resourceAttributes must be specified");
    }
}
