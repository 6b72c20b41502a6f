using System.Text.Json.Nodes;
using Flotta.ApiServer.Admission;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Patching;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Verbs;

/// <summary>What a write made (or would make), and whether the object is there after it.</summary>
internal readonly record struct Changed(StoredObject Object, bool Created, bool Gone);

/// <summary>Creates, updates and deletes by the rules of the kind, whoever asks for it.</summary>
internal sealed class ObjectChanges(ObjectStore store, ResourceCatalog catalog, WebhookAdmission admission, TimeProvider time, Func<string, string>? nameMaker = null)
{
    private readonly Func<string, string> generateName = nameMaker ?? ObjectMetadata.Generate;

    // As often as the real server tries a patch whose object changes under it.
    private const int Attempts = 5;
    private const int NameAttempts = 8;
    private const int LargestObject = 1536 * 1024;

    public async Task<Changed> CreateAsync(
        ServedResource served, string @namespace, JsonObject value, IReadOnlyList<string> duplicates, WriteOptions options, CancellationToken cancellationToken)
    {
        Incoming.Accept(served, value, duplicates, options);
        var generate = NewObject.Identify(served, value, @namespace, time.GetUtcNow());
        for (var attempt = 1; ; attempt++)
        {
            if (generate is not null)
                value["metadata"]!["name"] = generateName(generate);
            var name = value["metadata"]!["name"].Text() ?? "";
            var guards = Guards(served, @namespace, name);
            NewObject.Complete(served, value, Conflict, time.GetUtcNow());
            var key = served.Key(@namespace, name);
            var write = options.Caller is { } caller ? new AdmissionAttributes(caller, served, "CREATE", "", @namespace, name, value, null, options.DryRun) : null;
            if (write is not null && await admission.MutateAsync(write, options.Warnings, cancellationToken) is { } mutated)
            {
                Incoming.Accept(served, mutated, [], options);
                value = Identified(mutated, value);
                NewObject.Complete(served, value, Conflict, time.GetUtcNow());
            }

            options.Permit?.Invoke(value, null);
            Validation.Check(served, value, null);
            if (!options.Applied)
                FieldOwnership.Record(served.Definition, null, value, new FieldManager(options.FieldManager, "", time.GetUtcNow()));
            if (write is not null)
                await admission.ValidateAsync(write with { Object = value }, options.Warnings, cancellationToken);
            if (options.DryRun)
            {
                if (store.State.Get(key) is not null)
                    throw new StatusException(Status.AlreadyExists(served.Definition, name));
                return new Changed(Unwritten(served, key, value), true, false);
            }

            var result = await WriteAsync(new Write(key, ChangeKind.Created, 0, Template(served, value), guards), cancellationToken);
            if (result.Outcome == WriteOutcome.Done)
                return new Changed(result.Object!, true, false);
            if (result.Outcome == WriteOutcome.Conflict && generate is null)
                throw new StatusException(Status.AlreadyExists(served.Definition, name));
            if (result.Outcome == WriteOutcome.Conflict && attempt >= NameAttempts)
                throw new StatusException(Status.NoNameLeft(served.Definition, name));
            if (attempt == NameAttempts * 2)
                throw new StatusException(Status.Modified(served.Definition, name));
        }
    }

    /// <param name="served">The kind.</param>
    /// <param name="key">Which one.</param>
    /// <param name="subresource">`status`, or empty.</param>
    /// <param name="change">From the present state (with its resourceVersion) to the wanted one; called again when another writer was faster.</param>
    /// <param name="conditional">The wanted state must name the version that it comes from.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">To stop waiting.</param>
    public async Task<Changed> UpdateAsync(
        ServedResource served, ObjectKey key, string subresource, Func<JsonObject, JsonObject> change, bool conditional, WriteOptions options, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var present = store.State.Get(key) ?? throw new StatusException(Status.NotFound(served.Definition, key.Name));
            var old = WireForm.Parse(present, served);
            var value = change(old);
            var update = new UpdatedObject(served, present, old, value, subresource);
            update.CheckIdentity(key, conditional);
            update.Complete(Conflict, time.GetUtcNow());
            var write = options.Caller is { } caller ? new AdmissionAttributes(caller, served, "UPDATE", subresource, key.Namespace, key.Name, value, old, options.DryRun) : null;
            // A Scale is only looked at: it is not what is written.
            if (write is not null && subresource != ScaleKind.Subresource && await admission.MutateAsync(write, options.Warnings, cancellationToken) is { } mutated)
            {
                Incoming.Accept(served, mutated, [], options);
                value = Identified(mutated, value);
                update = new UpdatedObject(served, present, old, value, subresource);
                update.Complete(Conflict, time.GetUtcNow());
            }

            options.Permit?.Invoke(value, old);
            Validation.Check(served, value, old);
            if (!options.Applied)
                FieldOwnership.Record(served.Definition, old, value, new FieldManager(options.FieldManager, subresource, time.GetUtcNow()));
            if (write is not null)
                await admission.ValidateAsync(ScaleKind.Shown(write with { Object = value }), options.Warnings, cancellationToken);
            // What is stored in an older form is brought up to date by the same write that would change nothing else.
            if (update.ChangesNothing && WireForm.IsCurrent(present, served))
                return new Changed(present, false, false);
            // The last finalizer of what is being deleted has gone, and with it the object.
            if (await PutAsync(served, present, value, update.IsReleased, options.DryRun, cancellationToken) is { } done)
                return done;
            if (attempt == Attempts)
                throw new StatusException(Status.Modified(served.Definition, key.Name));
        }
    }

    public async Task<Changed> DeleteAsync(ServedResource served, ObjectKey key, DeleteOptions options, CancellationToken cancellationToken)
    {
        KindRules.CheckDelete(served, key.Name);
        for (var attempt = 1; ; attempt++)
        {
            var present = store.State.Get(key) ?? throw new StatusException(Status.NotFound(served.Definition, key.Name));
            var value = Json.Object(present.Json);
            var plan = Deletion.Of(served, value, options, time.GetUtcNow());
            if (options.Caller is { } caller)
            {
                var write = new AdmissionAttributes(caller, served, "DELETE", "", key.Namespace, key.Name, null, WireForm.Parse(present, served), options.DryRun);
                await admission.MutateAsync(write, options.Warnings, cancellationToken);
                await admission.ValidateAsync(write, options.Warnings, cancellationToken);
            }

            if (plan == DeletionPlan.Wait)
                return new Changed(present, false, false);
            if (await PutAsync(served, present, value, plan == DeletionPlan.Remove, options.DryRun, cancellationToken) is { } done)
                return done;
            // Deleting means whatever is there, unless a state was named; Deletion.Of looks at that again.
            if (attempt == Attempts * 10)
                throw new StatusException(Status.Modified(served.Definition, key.Name));
        }
    }

    /// <summary>Of the server itself: no rules, only the version must not have changed. False: it has.</summary>
    public async Task<bool> ReplaceAsync(ServedResource served, StoredObject present, JsonObject value, bool remove, CancellationToken cancellationToken) =>
        await PutAsync(served, present, value, remove, dryRun: false, cancellationToken) is not null;

    /// <summary>In the place of what is there; null: somebody was faster.</summary>
    private async Task<Changed?> PutAsync(
        ServedResource served, StoredObject present, JsonObject value, bool remove, bool dryRun, CancellationToken cancellationToken)
    {
        if (dryRun)
            return new Changed(Unwritten(served, present.Key, value, present.Revision), false, remove);
        var kind = remove ? ChangeKind.Deleted : ChangeKind.Modified;
        var result = await WriteAsync(new Write(present.Key, kind, present.Revision, Template(served, value), []), cancellationToken);
        return result.Outcome == WriteOutcome.Done ? new Changed(result.Object!, false, remove) : null;
    }

    // A webhook may change what an object says, not which one it is.
    private static JsonObject Identified(JsonObject mutated, JsonObject value)
    {
        if (mutated["metadata"] is not JsonObject metadata)
            mutated["metadata"] = metadata = [];
        foreach (var name in (ReadOnlySpan<string>)["name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation"])
        {
            if (value["metadata"]![name] is { } kept)
                metadata[name] = kept.DeepClone();
            else
                metadata.Remove(name);
        }

        return mutated;
    }

    // What a new object goes into must exist and stay until it is written.
    private List<Guard> Guards(ServedResource served, string @namespace, string name)
    {
        var guards = new List<Guard>();
        if (served.Terminating)
        {
            throw new StatusException(Status.MethodNotAllowed with
            {
                Message = $"create is not supported on resources of kind \"{served.Definition.QualifiedPlural}\": its CustomResourceDefinition is terminating",
            });
        }

        if (served.Source is { } source)
            guards.Add(new Guard(source.Key, catalog.Current.Find(served.Resource)?.Source?.Revision ?? source.Revision));
        if (!served.Definition.Namespaced)
            return guards;
        var within = store.State.Get(new ObjectKey(KindRules.Namespaces, "", @namespace)) ?? throw new StatusException(
            Status.NotFound(catalog.Current.Find(KindRules.Namespaces)!.Definition, @namespace));
        if (StoredMetadata.Of(within).Deleting)
        {
            throw new StatusException(Status.Forbidden(
                served.Definition, name, $"unable to create new content in namespace {@namespace} because it is being terminated",
                new JsonObject { ["reason"] = "NamespaceTerminating", ["message"] = $"namespace {@namespace} is being terminated", ["field"] = "metadata.namespace" }));
        }

        guards.Add(new Guard(within.Key, within.Revision));
        return guards;
    }

    private string? Conflict(ResourceDefinition wanted)
    {
        foreach (var other in catalog.Current.All.Select(one => one.Definition))
        {
            if (other.Group != wanted.Group || other.Plural == wanted.Plural)
                continue;
            if (other.Kind == wanted.Kind || other.ListKind == wanted.Kind)
                return $"\"{wanted.Kind}\" is already in use";
            if (other.Singular == wanted.Singular || wanted.ShortNames.Contains(other.Singular, StringComparer.Ordinal))
                return $"\"{other.Singular}\" is already in use";
        }

        return null;
    }

    private async Task<WriteResult> WriteAsync(Write write, CancellationToken cancellationToken)
    {
        try
        {
            return await store.WriteAsync(write, cancellationToken);
        }
        catch (StorageException e)
        {
            throw new StatusException(Status.Of(e));
        }
    }

    private static ObjectTemplate Template(ServedResource served, JsonObject value)
    {
        var template = ObjectTemplate.From(WireForm.ToStored(value, served));
        return template.Length <= LargestObject
            ? template
            : throw new StatusException(Status.TooLarge(LargestObject) with { Message = $"etcdserver: request is too large: the object has {template.Length} bytes, {LargestObject} are allowed" });
    }

    // As it would be stored, but for the revision that only a stored one has.
    private static StoredObject Unwritten(ServedResource served, ObjectKey key, JsonObject value, long? revision = null)
    {
        if (revision is { } known)
            value["metadata"]!["resourceVersion"] = known.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new StoredObject(key, long.MaxValue, System.Text.Encoding.UTF8.GetBytes(WireForm.ToStored(value, served).ToJsonString(Json.Relaxed)), 0);
    }
}
