using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>metadata's rules, the same for every kind.</summary>
internal static class ObjectMetadata
{
    private const int MaxAnnotationsSize = 256 * 1024;
    private const int MaxGeneratedPrefix = 63 - 5;

    // No vowels and nothing that reads as another: no words by accident.
    private const string Letters = "bcdfghjklmnpqrstvwxz2456789";

    private static readonly string[] StandardFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];

    /// <summary>metadata as the typed decoder knows it; everything else in it is unknown.</summary>
    public static Schema Schema => Models.ObjectMeta;

    /// <summary>All that is wrong with the metadata of a new object (old is null; its name is already generated) or of a changed one, immutable fields included.</summary>
    public static IReadOnlyList<FieldError> Validate(ResourceDefinition definition, JsonObject value, JsonObject? old)
    {
        var errors = new List<FieldError>();
        var metadata = value["metadata"] as JsonObject ?? [];
        CheckName(definition, metadata, errors);
        if (definition.Namespaced)
        {
            if (metadata.TextAt("namespace") is not { Length: > 0 } space) errors.Add(FieldError.Required("metadata.namespace"));
            else errors.AddRange(ObjectNames.CheckDnsLabel(space).Select(wrong => FieldError.Invalid("metadata.namespace", space, wrong)));
        }
        else if (metadata.TextAt("namespace").Length > 0)
        {
            errors.Add(FieldError.Forbidden("metadata.namespace", "not allowed on this type"));
        }

        CheckCommon(metadata, "metadata", errors);
        if (old is not null) CheckUnchanged(metadata, old["metadata"] as JsonObject ?? [], errors);
        return errors;
    }

    /// <summary>The metadata of an embedded resource: what is there must be well-formed, nothing has to be there.</summary>
    public static IReadOnlyList<FieldError> CheckEmbedded(JsonObject metadata, string path)
    {
        var errors = new List<FieldError>();
        if (metadata.TextAt("generateName") is { Length: > 0 } prefix)
            errors.AddRange(ObjectNames.CheckPathSegment(prefix).Select(wrong => FieldError.Invalid(path + ".generateName", prefix, wrong)));
        if (metadata.TextAt("name") is { Length: > 0 } name)
            errors.AddRange(ObjectNames.CheckPathSegment(name).Select(wrong => FieldError.Invalid(path + ".name", name, wrong)));
        CheckCommon(metadata, path, errors);
        return errors;
    }

    /// <summary>A name for generateName: the prefix, cut where too long, and five random letters.</summary>
    public static string Generate(string prefix) =>
        (prefix.Length > MaxGeneratedPrefix ? prefix[..MaxGeneratedPrefix] : prefix) + RandomNumberGenerator.GetString(Letters, 5);

    private static void CheckName(ResourceDefinition definition, JsonObject metadata, List<FieldError> errors)
    {
        var check = definition.CheckName ?? ObjectNames.CheckDnsSubdomain;
        var prefix = metadata.TextAt("generateName");
        if (prefix.Length > 0)
        {
            // A prefix may end in what a name may not: only the name that was made of it is told about.
            var stem = prefix.EndsWith('-') ? prefix[..^1] + "a" : prefix;
            errors.AddRange(check(stem).Where(_ => metadata.TextAt("name").Length == 0).Select(wrong => FieldError.Invalid("metadata.generateName", prefix, wrong)));
        }

        if (metadata.TextAt("name") is { Length: > 0 } name) errors.AddRange(check(name).Select(wrong => FieldError.Invalid("metadata.name", name, wrong)));
        else errors.Add(FieldError.Required("metadata.name", "name or generateName is required"));
    }

    private static void CheckCommon(JsonObject metadata, string path, List<FieldError> errors)
    {
        if (metadata["generation"].AsInteger() is < 0 and var generation)
            errors.Add(FieldError.Invalid(path + ".generation", generation, "must be greater than or equal to 0"));
        foreach (var (key, value) in metadata["labels"] as JsonObject ?? [])
        {
            errors.AddRange(ObjectNames.CheckQualifiedName(key).Select(wrong => FieldError.Invalid(path + ".labels", key, wrong)));
            errors.AddRange(ObjectNames.CheckLabelValue(value.AsText() ?? "").Select(wrong => FieldError.Invalid(path + ".labels", value.AsText(), wrong)));
        }

        CheckAnnotations(metadata, path, errors);
        CheckOwners(metadata, path, errors);
        CheckFinalizers(metadata, path, errors);
    }

    private static void CheckAnnotations(JsonObject metadata, string path, List<FieldError> errors)
    {
        long size = 0;
        foreach (var (key, value) in metadata["annotations"] as JsonObject ?? [])
        {
            // Case does not count here: old annotations have capitals in their prefixes.
            errors.AddRange(ObjectNames.CheckQualifiedName(key.ToLowerInvariant()).Select(wrong => FieldError.Invalid(path + ".annotations", key, wrong)));
            size += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value.AsText() ?? "");
        }

        if (size > MaxAnnotationsSize) errors.Add(FieldError.TooLong(path + ".annotations", MaxAnnotationsSize));
    }

    private static void CheckOwners(JsonObject metadata, string path, List<FieldError> errors)
    {
        string? controller = null;
        foreach (var owner in metadata["ownerReferences"].Objects())
        {
            var field = path + ".ownerReferences";
            var version = owner.TextAt("apiVersion");
            if (version.Length == 0 || version.EndsWith('/')) errors.Add(FieldError.Invalid(field + ".apiVersion", version, "version must not be empty"));
            if (owner.TextAt("kind").Length == 0) errors.Add(FieldError.Invalid(field + ".kind", "", "kind must not be empty"));
            if (owner.TextAt("name").Length == 0) errors.Add(FieldError.Invalid(field + ".name", "", "name must not be empty"));
            if (owner.TextAt("uid").Length == 0) errors.Add(FieldError.Invalid(field + ".uid", "", "uid must not be empty"));
            if (version == "v1" && owner.TextAt("kind") == "Event")
                errors.Add(FieldError.Invalid(field, owner, "/v1, Kind=Event is disallowed from being an owner"));
            if (owner["controller"].AsBoolean() != true) continue;
            if (controller is null) controller = owner.TextAt("name");
            else
                errors.Add(FieldError.Invalid(field, metadata["ownerReferences"],
                    $"Only one reference can have Controller set to true. Found \"true\" in references for {controller} and {owner.TextAt("name")}"));
        }
    }

    private static void CheckFinalizers(JsonObject metadata, string path, List<FieldError> errors)
    {
        var finalizers = metadata["finalizers"].Texts().ToList();
        foreach (var finalizer in finalizers)
            errors.AddRange(ObjectNames.CheckQualifiedName(finalizer).Select(wrong => FieldError.Invalid(path + ".finalizers", finalizer, wrong)));
        if (finalizers.Contains("orphan", StringComparer.Ordinal) && finalizers.Contains("foregroundDeletion", StringComparer.Ordinal))
            errors.Add(FieldError.Invalid(path + ".finalizers", metadata["finalizers"], "finalizers orphan and foregroundDeletion cannot be both set"));
    }

    /// <summary>Built-in kinds take only standard finalizers or qualified ones; custom kinds take any qualified name (a warning in newer servers).</summary>
    public static IEnumerable<FieldError> CheckBuiltInFinalizers(JsonObject value) =>
        value["metadata"].At("finalizers").Texts().Select((finalizer, i) => (finalizer, i))
            .Where(each => !each.finalizer.Contains('/', StringComparison.Ordinal) && !StandardFinalizers.Contains(each.finalizer, StringComparer.Ordinal))
            .Select(each => FieldError.Invalid($"metadata.finalizers[{each.i}]", each.finalizer, "name is neither a standard finalizer name nor is it fully qualified"));

    private static void CheckUnchanged(JsonObject metadata, JsonObject old, List<FieldError> errors)
    {
        if (old["deletionTimestamp"] is not null)
        {
            var before = old["finalizers"].Texts().ToHashSet(StringComparer.Ordinal);
            var added = metadata["finalizers"].Texts().Where(each => !before.Contains(each)).ToList();
            if (added.Count > 0)
                errors.Add(FieldError.Forbidden("metadata.finalizers",
                    $"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{string.Join(", ", added.Select(GoText.Quote))}}}"));
        }

        foreach (var field in (ReadOnlySpan<string>)["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"])
        {
            if (!JsonKinds.Same(metadata[field], old[field])) errors.Add(FieldError.Invalid("metadata." + field, metadata[field], "field is immutable"));
        }

        if (metadata["generation"].AsInteger() is { } now && old["generation"].AsInteger() is { } before2 && now < before2)
            errors.Add(FieldError.Invalid("metadata.generation", now, "must not be decremented"));
    }
}
