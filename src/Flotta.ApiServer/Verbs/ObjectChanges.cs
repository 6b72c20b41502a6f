using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Patching;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Verbs;

/// <summary>What a write made: the bytes of the answer, and whether the object is there after it.</summary>
internal readonly record struct Changed(byte[] Json, bool Created, bool Gone);

/// <summary>Creates, updates and deletes by the rules of the kind, whoever asks for it.</summary>
internal sealed class ObjectChanges(ObjectStore store, ResourceCatalog catalog, TimeProvider time)
{
    // As often as the real server tries a patch whose object changes under it.
    private const int Attempts = 5;
    private const int LargestObject = 1536 * 1024;

    public async Task<Changed> CreateAsync(
        ServedResource served, string @namespace, JsonObject value, IReadOnlyList<string> duplicates, WriteOptions options, CancellationToken cancellationToken)
    {
        Incoming.Accept(served, value, duplicates, options);
        var generate = NewObject.Identify(served, value, @namespace, time.GetUtcNow());
        for (var attempt = 1; ; attempt++)
        {
            if (generate is not null)
                value["metadata"]!["name"] = ObjectMetadata.Generate(generate);
            var name = value["metadata"]!["name"].Text() ?? "";
            var guards = Guards(served, @namespace, name);
            NewObject.Complete(served, value, Conflict, time.GetUtcNow());
            Validation.Check(served, value, null);
            if (!options.Applied)
                FieldOwnership.Record(served.Definition, null, value, new FieldManager(options.FieldManager, "", time.GetUtcNow()));
            var key = served.Key(@namespace, name);
            if (options.DryRun)
            {
                if (store.State.Get(key) is not null)
                    throw new StatusException(Status.AlreadyExists(served.Definition, name));
                return new Changed(Bytes(value), true, false);
            }

            var result = await WriteAsync(new Write(key, ChangeKind.Created, 0, Template(served, value), guards), cancellationToken);
            if (result.Outcome == WriteOutcome.Done)
                return new Changed(result.Object!.Json, true, false);
            if (result.Outcome == WriteOutcome.Conflict && (generate is null || attempt == Attempts))
                throw new StatusException(Status.AlreadyExists(served.Definition, name));
            if (attempt == Attempts * 2)
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
            var old = WireForm.Parse(present.Json, served);
            var value = change(old);
            var update = new UpdatedObject(served, present, old, value, subresource);
            update.CheckIdentity(key, conditional);
            update.Complete(Conflict, time.GetUtcNow());
            Validation.Check(served, value, old);
            if (!options.Applied)
                FieldOwnership.Record(served.Definition, old, value, new FieldManager(options.FieldManager, subresource, time.GetUtcNow()));
            if (update.ChangesNothing)
                return new Changed(present.Json, false, false);
            // The last finalizer of what is being deleted has gone, and with it the object.
            var gone = update.IsReleased;
            if (options.DryRun)
                return new Changed(Bytes(value, present.Revision), false, gone);
            var result = await WriteAsync(
                new Write(key, gone ? ChangeKind.Deleted : ChangeKind.Modified, present.Revision, Template(served, value), []), cancellationToken);
            if (result.Outcome == WriteOutcome.Done)
                return new Changed(result.Object!.Json, false, gone);
            if (attempt == Attempts)
                throw new StatusException(Status.Modified(served.Definition, key.Name));
        }
    }

    public async Task<Changed> DeleteAsync(ServedResource served, ObjectKey key, DeleteOptions options, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var present = store.State.Get(key) ?? throw new StatusException(Status.NotFound(served.Definition, key.Name));
            var value = Json.Object(present.Json);
            var plan = Deletion.Of(served, value, options, time.GetUtcNow());
            if (plan == DeletionPlan.Wait)
                return new Changed(present.Json, false, false);
            var gone = plan == DeletionPlan.Remove;
            if (options.DryRun)
                return new Changed(Bytes(value, present.Revision), false, gone);
            var result = await WriteAsync(
                new Write(key, gone ? ChangeKind.Deleted : ChangeKind.Modified, present.Revision, Template(served, value), []), cancellationToken);
            if (result.Outcome == WriteOutcome.Done)
                return new Changed(result.Object!.Json, false, gone);
            // Deleting means whatever is there, unless a state was named; Deletion.Of looks at that again.
            if (attempt == Attempts * 10)
                throw new StatusException(Status.Modified(served.Definition, key.Name));
        }
    }

    /// <summary>Of the server itself: no rules, only the version must not have changed. False: it has.</summary>
    public async Task<bool> ReplaceAsync(ServedResource served, StoredObject present, JsonObject value, bool remove, CancellationToken cancellationToken)
    {
        var kind = remove ? ChangeKind.Deleted : ChangeKind.Modified;
        return (await WriteAsync(new Write(present.Key, kind, present.Revision, Template(served, value), []), cancellationToken)).Outcome == WriteOutcome.Done;
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
            throw new StatusException(e.Full ? new Status(507, "InsufficientStorage", e.Message) : Status.Internal(e.Message));
        }
    }

    private static ObjectTemplate Template(ServedResource served, JsonObject value)
    {
        value["apiVersion"] = served.StorageApiVersion;
        var template = ObjectTemplate.From(value);
        return template.Length <= LargestObject
            ? template
            : throw new StatusException(Status.TooLarge(LargestObject) with { Message = $"etcdserver: request is too large: the object has {template.Length} bytes, {LargestObject} are allowed" });
    }

    // As it would be stored, but for the revision that only a stored one has.
    private static byte[] Bytes(JsonObject value, long? revision = null)
    {
        if (revision is { } known)
            value["metadata"]!["resourceVersion"] = known.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return System.Text.Encoding.UTF8.GetBytes(value.ToJsonString(Json.Relaxed));
    }
}
