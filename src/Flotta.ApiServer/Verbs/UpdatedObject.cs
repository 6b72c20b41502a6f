using System.Globalization;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Verbs;

/// <summary>From what a client wants an object to be to what it may be: its status, identity and times are kept or counted here. Changes the value in place.</summary>
internal sealed class UpdatedObject(ServedResource served, StoredObject present, JsonObject old, JsonObject value, string subresource)
{
    // The server alone writes these.
    private static readonly string[] Owned = ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "generateName"];

    // Stands for a member that is not there, which is not the same as one that is null.
    private static readonly JsonNode Absent = JsonValue.Create(Guid.NewGuid());

    private ResourceDefinition Definition => served.Definition;

    /// <summary>It is being deleted, and nothing holds it any more.</summary>
    public bool IsReleased =>
        value["metadata"]!["deletionTimestamp"] is not null
        && value["metadata"]!["finalizers"] is not JsonArray { Count: > 0 }
        && !KindRules.IsHeldBySpec(served, value);

    public bool ChangesNothing =>
        // Of a status it is the status that changes, mostly; the rest need not be looked at then.
        (subresource != "status" || JsonNode.DeepEquals(old["status"], value["status"])) && Same(old, value, SameMember);

    /// <exception cref="StatusException">It is another object, or comes from another version than the present one.</exception>
    public void CheckIdentity(ObjectKey key, bool conditional)
    {
        if (value["metadata"] is not JsonObject metadata)
            throw new StatusException(Status.BadRequest("metadata is missing or no object"));
        if (metadata["name"].Text() is not { Length: > 0 } name)
            throw new StatusException(Status.BadRequest("the name of the object (based on metadata) was empty: name must be provided"));
        if (name != key.Name)
            throw new StatusException(Status.BadRequest($"the name of the object ({name}) does not match the name on the URL ({key.Name})"));
        NewObject.Place(served, metadata, key.Namespace);
        if (metadata["uid"].Text() is { Length: > 0 } uid && uid != old["metadata"]!["uid"].Text())
        {
            throw new StatusException(Status.Conflict(
                Definition, name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {old["metadata"]!["uid"].Text()}"));
        }

        var version = metadata["resourceVersion"].Text();
        if (version is { Length: > 0 } && version != present.Revision.ToString(CultureInfo.InvariantCulture))
            throw new StatusException(Status.Modified(Definition, name));
        if (version is not { Length: > 0 } && conditional)
        {
            throw new StatusException(Status.Invalid(
                Definition, name, [new FieldError("metadata.resourceVersion", "FieldValueInvalid", "Invalid value: 0x0: must be specified for an update")]));
        }
    }

    public void Complete(Func<ResourceDefinition, string?> conflict, DateTimeOffset now)
    {
        var metadata = (JsonObject)value["metadata"]!;
        if (subresource == "status")
            KeepAllButStatus();
        else if (Definition.HasStatus)
            Copy(old, value, "status");
        foreach (var name in Owned)
            Copy((JsonObject)old["metadata"]!, (JsonObject)value["metadata"]!, name);
        metadata.Remove("selfLink");
        value["metadata"]!["resourceVersion"] = present.Revision.ToString(CultureInfo.InvariantCulture);
        if (subresource is "" or "scale")
        {
            Definition.Schema?.Default(value);
            Definition.Normalise?.Invoke(value, old);
            KindRules.OnUpdate(served, value, old, conflict, now);
        }

        if (subresource != "status" && Definition.HasGeneration && SpecChanged())
            value["metadata"]!["generation"] = ((old["metadata"]!["generation"] as JsonValue)?.GetValue<long>() ?? 0) + 1;
    }

    private void KeepAllButStatus()
    {
        // Taken out rather than copied: a status is most of an object.
        var (status, managed) = (value["status"], value["metadata"]!["managedFields"]);
        value.Remove("status");
        ((JsonObject)value["metadata"]!).Remove("managedFields");
        value.Clear();
        foreach (var (name, member) in old)
        {
            if (name != "status")
                value[name] = member?.DeepClone();
        }

        if (status is not null)
            value["status"] = status;
        if (managed is not null)
            value["metadata"]!["managedFields"] = managed;
    }

    // Everything but metadata, and but the status where that is a subresource.
    private bool SpecChanged()
    {
        var names = old.Select(member => member.Key).Union(value.Select(member => member.Key), StringComparer.Ordinal);
        return names.Any(name => name is not ("metadata" or "apiVersion" or "kind")
            && !(name == "status" && Definition.HasStatus)
            && !JsonNode.DeepEquals(old[name], value[name]));
    }

    // Every write compares all of the object: nothing is copied for it.
    private static bool Same(JsonObject one, JsonObject other, Func<string, JsonNode?, JsonNode?, bool> same)
    {
        foreach (var (name, was) in one)
        {
            if (other.TryGetPropertyValue(name, out var now) ? !same(name, was, now) : !same(name, was, Absent))
                return false;
        }

        foreach (var (name, now) in other)
        {
            if (!one.ContainsKey(name) && !same(name, Absent, now))
                return false;
        }

        return true;
    }

    private static bool SameMember(string name, JsonNode? was, JsonNode? now) =>
        name == "metadata" && was is JsonObject before && now is JsonObject after ? Same(before, after, SameMetadata) : JsonNode.DeepEquals(was, now);

    private static bool SameMetadata(string name, JsonNode? was, JsonNode? now) => name switch
    {
        "resourceVersion" => true,
        "labels" or "annotations" or "finalizers" or "ownerReferences" when IsEmpty(was) && IsEmpty(now) => true,
        _ => JsonNode.DeepEquals(was, now),
    };

    private static bool IsEmpty(JsonNode? node) => node is null or JsonObject { Count: 0 } or JsonArray { Count: 0 } || ReferenceEquals(node, Absent);

    private static void Copy(JsonObject from, JsonObject to, string name)
    {
        if (from[name] is { } kept)
            to[name] = kept.DeepClone();
        else
            to.Remove(name);
    }
}
