using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;

namespace Flotta.ApiServer.Verbs;

/// <summary>What is looked at in a body (or the outcome of a patch) before anything is done with it.</summary>
internal static class Incoming
{
    /// <summary>Refuses what is not an object of this kind; removes what its schema does not know, and says so as the options want.</summary>
    /// <exception cref="StatusException">400.</exception>
    public static void Accept(ServedResource served, JsonObject value, IReadOnlyList<string> duplicates, WriteOptions options)
    {
        var definition = served.Definition;
        CheckType(definition, value);
        if (Decoding.Problem(definition, value) is { } problem)
            throw new StatusException(Status.BadRequest(problem));
        EmptyNulls(value["metadata"]?["finalizers"]);
        List<string> unknown = [.. duplicates, .. (definition.Schema?.Prune(value) ?? []).Select(path => $"unknown field \"{path}\"")];
        if (unknown.Count == 0 || options.Validation == FieldValidation.Ignore)
            return;
        if (options.Validation == FieldValidation.Strict)
            throw new StatusException(Status.BadRequest(Decoding.StrictMessage(definition, unknown)));
        options.Warnings.AddRange(unknown);
    }

    // A typed decoder reads null in a list of texts as the empty text, which is then refused for what it is.
    private static void EmptyNulls(JsonNode? texts)
    {
        for (var i = 0; texts is JsonArray list && i < list.Count; i++)
            list[i] ??= "";
    }

    private static void CheckType(ResourceDefinition definition, JsonObject value)
    {
        var (kind, version) = (value["kind"].Text() ?? "", value["apiVersion"].Text() ?? "");
        // A typed decoder knows what it decodes; only of custom resources must both be given.
        if (definition.BuiltIn && (kind.Length == 0 || version.Length == 0))
        {
            value["kind"] = kind = kind.Length == 0 ? definition.Kind : kind;
            value["apiVersion"] = version = version.Length == 0 ? definition.ApiVersion : version;
        }

        if (kind.Length == 0)
            throw new StatusException(Status.BadRequest($"Object 'Kind' is missing in '{value.ToJsonString(Json.Relaxed)}'"));
        if (version.Length == 0)
            throw new StatusException(Status.BadRequest($"Object 'apiVersion' is missing in '{value.ToJsonString(Json.Relaxed)}'"));
        if (kind != definition.Kind || version != definition.ApiVersion)
        {
            var wanted = $"{definition.ApiVersion}, Kind={definition.Kind}";
            throw new StatusException(Status.BadRequest(
                definition.BuiltIn
                    ? $"{kind} in version \"{version}\" cannot be handled as a {definition.Kind}: no kind \"{kind}\" is registered for version \"{version}\""
                    : $"the object provided is unrecognized (must be of type {definition.Kind}): couldn't get version/kind; got {version}, Kind={kind}, wanted {wanted}"));
        }
    }
}
