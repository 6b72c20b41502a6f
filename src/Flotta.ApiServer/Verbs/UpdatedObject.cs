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

    private ResourceDefinition Definition => served.Definition;

    /// <summary>It is being deleted, and nothing holds it any more.</summary>
    public bool IsReleased =>
        value["metadata"]!["deletionTimestamp"] is not null
        && value["metadata"]!["finalizers"] is not JsonArray { Count: > 0 }
        && value["spec"]?["finalizers"] is not JsonArray { Count: > 0 };

    public bool ChangesNothing
    {
        get
        {
            var (was, now) = (Compared(old), Compared(value));
            return JsonNode.DeepEquals(was, now);
        }
    }

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
        if (subresource.Length == 0)
        {
            Definition.Schema?.Default(value);
            Definition.Normalise?.Invoke(value, old);
            KindRules.OnUpdate(served, value, old, conflict, now);
        }

        if (Definition.HasGeneration && SpecChanged())
            value["metadata"]!["generation"] = ((old["metadata"]!["generation"] as JsonValue)?.GetValue<long>() ?? 0) + 1;
    }

    private void KeepAllButStatus()
    {
        var status = value["status"]?.DeepClone();
        var managed = value["metadata"]!["managedFields"]?.DeepClone();
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

    private static JsonObject Compared(JsonObject one)
    {
        var copy = (JsonObject)one.DeepClone();
        var metadata = (JsonObject)copy["metadata"]!;
        metadata.Remove("resourceVersion");
        foreach (var name in (ReadOnlySpan<string>)["labels", "annotations", "finalizers", "ownerReferences"])
        {
            if (metadata[name] is null or JsonObject { Count: 0 } or JsonArray { Count: 0 })
                metadata.Remove(name);
        }

        return copy;
    }

    private static void Copy(JsonObject from, JsonObject to, string name)
    {
        if (from[name] is { } kept)
            to[name] = kept.DeepClone();
        else
            to.Remove(name);
    }
}
