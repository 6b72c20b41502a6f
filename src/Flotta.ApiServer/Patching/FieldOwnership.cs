using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Patching;

/// <summary>Server-side apply and the managedFields it lives on. Nothing given is changed but the body of Record.</summary>
internal static class FieldOwnership
{
    // The server's own, or what identifies the object: nobody owns these.
    private static readonly string[] Unowned =
    [
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds",
    ];

    /// <param name="live">Null when the object does not exist yet.</param>
    /// <returns>The merged object, its managedFields set.</returns>
    /// <exception cref="ApplyConflictException">Others own what this manager would change, and force is false.</exception>
    /// <exception cref="PatchException">The applied document has managedFields, a wrong shape, and so on.</exception>
    public static JsonObject Apply(ResourceDefinition definition, JsonObject? live, JsonObject applied, FieldManager manager, bool force)
    {
        if (applied["metadata"].At("managedFields") is JsonArray { Count: > 0 }) throw new PatchException(400, "metadata.managedFields must be nil");
        CheckDeclared(applied, FieldShape.Of(definition), "");
        var shape = FieldShape.Of(definition);
        var entries = Read(definition, live, manager);
        var wanted = Owned(FieldComparison.Of(applied, shape), definition, manager.Subresource);
        var me = new ManagedEntry(manager.Name, "Apply", definition.ApiVersion, manager.Subresource, ManagedFields.Stamp(manager.Now), wanted);
        var before = entries.Find(entry => entry.Identity == me.Identity);
        var others = entries.Where(entry => entry.Identity != me.Identity).ToList();

        var present = live ?? new JsonObject { ["apiVersion"] = definition.ApiVersion, ["kind"] = definition.Kind };
        var merged = (JsonObject)FieldMerge.Merge(present, applied, shape)!;
        if (before is not null) FieldMerge.Remove(merged, Abandoned(before.Fields, wanted, others), shape);

        var comparison = FieldComparison.Between(live, merged, shape);
        var changed = Owned(comparison.Added.Union(comparison.Modified), definition, manager.Subresource);
        if (!force) CheckConflicts(others, changed);
        others = [.. others.Select(entry => entry with { Fields = entry.Fields.Except(changed).Except(comparison.Removed) })];
        // An unchanged opinion keeps its time: applying the same again changes nothing.
        if (before is not null && before.Fields.SameAs(wanted) && before.ApiVersion == me.ApiVersion) me = me with { Time = before.Time };
        ManagedFields.Write(merged, [.. others, me]);
        return merged;
    }

    /// <summary>Sets the body's managedFields after a create (live is null), an update or any other patch by this manager.</summary>
    public static void Record(ResourceDefinition definition, JsonObject? live, JsonObject body, FieldManager manager)
    {
        var shape = FieldShape.Of(definition);
        var entries = Stated(live, body);
        FieldComparison comparison;
        try
        {
            comparison = live is not null && manager.Subresource == "status"
                ? FieldComparison.Between(live, body, shape, "status")
                : FieldComparison.Between(live ?? Blank(definition), body, shape);
        }
        catch (PatchException)
        {
            // Items without their keys: validation lets them pass where the schema was changed; nobody owns them then.
            ManagedFields.Write(body, entries);
            return;
        }

        var changed = Owned(comparison.Added.Union(comparison.Modified), definition, manager.Subresource);
        var me = new ManagedEntry(manager.Name, "Update", definition.ApiVersion, manager.Subresource, ManagedFields.Stamp(manager.Now), new FieldSet());
        var before = entries.Find(entry => entry.Identity == me.Identity);
        var mine = (before?.Fields ?? new FieldSet()).Except(comparison.Removed).Union(changed);
        me = me with { Fields = mine, Time = before is not null && before.Fields.SameAs(mine) ? before.Time : me.Time };
        ManagedFields.Write(body, [
            .. entries.Where(entry => entry.Identity != me.Identity).Select(entry => entry with { Fields = entry.Fields.Except(changed).Except(comparison.Removed) }), me]);
    }

    // What the client says of the ownership counts where it says it well; an empty entry means that all is forgotten.
    private static List<ManagedEntry> Stated(JsonObject? live, JsonObject body)
    {
        if (body["metadata"].At("managedFields") is JsonArray { Count: > 0 } stated)
        {
            if (stated is [JsonObject { Count: 0 }]) return [];
            if (live is not null && ManagedFields.Read(body) is { } entries) return entries;
        }

        return ManagedFields.Read(live) ?? [];
    }

    private static List<ManagedEntry> Read(ResourceDefinition definition, JsonObject? live, FieldManager manager)
    {
        var entries = ManagedFields.Read(live) ?? [];
        if (live is null || entries.Count > 0) return entries;
        // Written before ownership was kept: somebody owns it all, so that nothing is lost unasked.
        var all = Owned(FieldComparison.Of(live, FieldShape.Of(definition)), definition, "");
        return [new ManagedEntry("before-first-apply", "Update", definition.ApiVersion, "", ManagedFields.Stamp(manager.Now), all)];
    }

    private static FieldSet Owned(FieldSet set, ResourceDefinition definition, string subresource)
    {
        set.Children.Remove("f:apiVersion");
        set.Children.Remove("f:kind");
        if (set.Find("f:metadata") is { } metadata)
        {
            metadata.Member = false;
            foreach (var name in Unowned) metadata.Children.Remove(FieldSet.Field(name));
        }

        set.Member = false;
        // The other part of the object is not touched by this write.
        if (subresource.Length == 0 && definition.HasStatus) set.Children.Remove("f:status");
        if (subresource == "status")
        {
            foreach (var step in set.Children.Keys.Where(step => step != "f:status").ToList()) set.Children.Remove(step);
        }

        return set;
    }

    // What this manager applied before and nobody wants now, itself included. A map goes when nothing in it is wanted.
    private static FieldSet Abandoned(FieldSet before, FieldSet wanted, List<ManagedEntry> others)
    {
        var kept = others.Aggregate(wanted, (all, entry) => all.Union(entry.Fields));
        var abandoned = Beyond(before, kept);
        abandoned.Member = false;
        if (abandoned.Find("f:metadata") is { } metadata) metadata.Member = false;
        return abandoned;
    }

    private static FieldSet Beyond(FieldSet before, FieldSet? kept)
    {
        var result = new FieldSet { Member = kept is null || kept.IsEmpty };
        foreach (var (step, child) in before.Children) result.Children[step] = Beyond(child, kept?.Find(step));
        return result;
    }

    private static void CheckConflicts(List<ManagedEntry> others, FieldSet changed)
    {
        var conflicts = others.Select(entry => (entry.Shown, Paths: entry.Fields.Intersect(changed).Paths().Order(StringComparer.Ordinal).ToList()))
            .Where(conflict => conflict.Paths.Count > 0)
            .OrderBy(conflict => conflict.Shown, StringComparer.Ordinal)
            .ToList();
        if (conflicts.Count == 0) return;
        var causes = conflicts.SelectMany(conflict => conflict.Paths.Select(path => new JsonObject
        {
            ["reason"] = "FieldManagerConflict", ["message"] = "conflict with " + conflict.Shown, ["field"] = path,
        })).ToList();
        var message = causes.Count == 1
            ? $"Apply failed with 1 conflict: conflict with {conflicts[0].Shown}: {conflicts[0].Paths[0]}"
            : $"Apply failed with {causes.Count} conflicts: " +
              string.Join('\n', conflicts.Select(conflict => $"conflicts with {conflict.Shown}:\n" + string.Join('\n', conflict.Paths.Select(path => "- " + path))));
        throw new ApplyConflictException(message, causes);
    }

    private static void CheckDeclared(JsonNode? value, FieldShape shape, string path)
    {
        switch (value)
        {
            case JsonObject map:
                foreach (var (name, child) in map)
                {
                    if (shape.Forbids(name)) throw new PatchException(400, $"failed to create typed patch object: {path}.{name}: field not declared in schema");
                    CheckDeclared(child, shape.Child(name), $"{path}.{name}");
                }

                break;
            case JsonArray list when !shape.IsWhole(list):
                var seen = new HashSet<string>(StringComparer.Ordinal);
                foreach (var item in list)
                {
                    if (!seen.Add(shape.Step(item)))
                        throw new PatchException(400, $"failed to create typed patch object: {path}: duplicate entries for key {GoText.Quote(shape.Step(item)[2..])}");
                    CheckDeclared(item, shape.Item, path);
                }

                break;
        }
    }

    // A typed server's new object has its plain structures already, so that nobody adds those.
    private static JsonObject Blank(ResourceDefinition definition)
    {
        var blank = new JsonObject { ["metadata"] = new JsonObject() };
        if (!definition.BuiltIn) return blank;
        foreach (var name in (ReadOnlySpan<string>)["spec", "status", "involvedObject", "regarding", "source", "deprecatedSource", "roleRef"])
        {
            if (definition.Schema?.Root.Properties.ContainsKey(name) == true) blank[name] = new JsonObject();
        }

        foreach (var name in (ReadOnlySpan<string>)["reportingComponent", "reportingController", "reportingInstance"])
        {
            if (definition.Schema?.Root.Properties.ContainsKey(name) == true) blank[name] = "";
        }

        // What the server adds to every namespace is nobody's.
        if (definition.Kind == "Namespace") blank["spec"]!["finalizers"] = new JsonArray("kubernetes");
        if (definition.Kind == "CustomResourceDefinition") blank["spec"]!["names"] = new JsonObject();
        return blank;
    }
}

/// <summary>Who writes.</summary>
/// <param name="Subresource">Empty for the object itself.</param>
internal sealed record FieldManager(string Name, string Subresource, DateTimeOffset Now)
{
    /// <summary>The fieldManager parameter, or else the user agent up to its first slash.</summary>
    public static string NameFor(string? parameter, string? userAgent) =>
        !string.IsNullOrEmpty(parameter) ? parameter : (userAgent ?? "").Split('/')[0] is { Length: > 0 } agent ? agent : "unknown";
}

/// <summary>409: the message is the server's sentence, the causes are ready for status.details.</summary>
internal sealed class ApplyConflictException(string message, IReadOnlyList<JsonObject> causes) : Exception(message)
{
    public IReadOnlyList<JsonObject> Causes { get; } = causes;
}
