using System.Text.Json.Nodes;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Lifecycle;

/// <summary>
/// Deletes what has lost all its owners; holds an owner that is deleted in the foreground until its dependents have gone; lets the dependents of an orphaning owner be.
/// It looks only at what has ownerReferences, and at what a change may concern.
/// </summary>
internal sealed class OwnerLoop(ObjectStore store, ResourceCatalog catalog, ObjectChanges changes, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    private readonly HashSet<ObjectKey> concerned = [];
    private OwnerIndex index = new();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e)
            {
                LifecycleLog.PassFailed(logger, e, "owners");
                await Task.Delay(Again, time, CancellationToken.None);
            }
        }
    }

    // Ends when the subscription does: too many changes at once, so everything is looked at anew.
    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        using var subscription = store.Subscribe(ObjectStore.AllResources);
        Begin(store.State);
        while (true)
        {
            await PassAsync(cancellationToken);
            var more = subscription.Changes.WaitToReadAsync(cancellationToken).AsTask();
            if (concerned.Count > 0 && await Task.WhenAny(more, Task.Delay(Again, time, cancellationToken)) != more)
            {
                await PassAsync(cancellationToken);
            }

            if (!await more)
                return;
            while (subscription.Changes.TryRead(out var change))
                Take(change);
        }
    }

    private void Begin(StoreState state)
    {
        index = new OwnerIndex();
        foreach (var one in state.Resources.Values.SelectMany(all => all))
        {
            var metadata = StoredMetadata.Of(one);
            index.Put(one.Key, metadata.Owners);
            if (metadata.Owners.Count > 0 || (metadata.Deleting && metadata.HasFinalizers))
                concerned.Add(one.Key);
        }
    }

    private void Take(Change change)
    {
        var (key, metadata) = (change.Object.Key, StoredMetadata.Of(change.Object));
        if (change.Kind == ChangeKind.Deleted)
        {
            index.Remove(key);
            concerned.UnionWith(index.DependentsOf(metadata.Uid));
            // An owner that waits for this dependent has to look again.
            concerned.UnionWith(metadata.Owners.Select(owner => Locate(owner, key.Namespace)).OfType<ObjectKey>());
            return;
        }

        index.Put(key, metadata.Owners);
        if (metadata.Owners.Count > 0 || (metadata.Deleting && metadata.HasFinalizers))
            concerned.Add(key);
    }

    private async Task PassAsync(CancellationToken cancellationToken)
    {
        foreach (var key in concerned.ToList())
        {
            if (await SettleAsync(key, cancellationToken))
                concerned.Remove(key);
        }
    }

    /// <summary>False: to be looked at again.</summary>
    private async Task<bool> SettleAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (store.State.Get(key) is not { } present || catalog.Current.Find(key.Resource) is not { } served)
            return true;
        var metadata = StoredMetadata.Of(present);
        try
        {
            if (metadata.Deleting)
                return await ReleaseAsync(served, present, metadata, cancellationToken);
            if (metadata.Owners.Count == 0)
                return true;
            var living = metadata.Owners.Where(owner => Lives(owner, key.Namespace)).ToList();
            if (living.Count == 0)
                await changes.DeleteAsync(served, key, DeleteOptions.None with { Uid = metadata.Uid, Policy = Propagation.Background }, cancellationToken);
            else if (living.Count < metadata.Owners.Count)
                return await DisownAsync(served, present, owner => living.Any(one => one.Uid == owner), cancellationToken);
            return true;
        }
        catch (StatusException e) when (e.Status.Code is 404 or 409)
        {
            return e.Status.Code == 404;
        }
    }

    private async Task<bool> ReleaseAsync(ServedResource served, StoredObject present, StoredMetadata metadata, CancellationToken cancellationToken)
    {
        var value = Json.Object(present.Json);
        var finalizers = (value["metadata"]!["finalizers"] as JsonArray)?.Select(one => one.Text()!).ToList() ?? [];
        var mine = finalizers.Find(one => one is Deletion.Foreground or Deletion.Orphan);
        if (mine is null)
            return true;
        var settled = true;
        foreach (var key in index.DependentsOf(metadata.Uid))
            settled &= await (mine == Deletion.Orphan ? OrphanAsync(key, metadata.Uid, cancellationToken) : DeleteDependentAsync(key, metadata.Uid, cancellationToken));
        if (!settled)
            return false;
        finalizers.Remove(mine);
        value["metadata"]!["finalizers"] = new JsonArray([.. finalizers.Select(one => (JsonNode)one)]);
        var gone = finalizers.Count == 0 && !KindRules.IsHeldBySpec(served, value);
        return await changes.ReplaceAsync(served, present, value, gone, cancellationToken);
    }

    // True: it no longer holds its owner.
    private async Task<bool> DeleteDependentAsync(ObjectKey key, string owner, CancellationToken cancellationToken)
    {
        if (store.State.Get(key) is not { } present || catalog.Current.Find(key.Resource) is not { } served)
            return true;
        var metadata = StoredMetadata.Of(present);
        // What it says of its owner is of no use.
        if (!metadata.Owners.Any(one => one.Uid == owner && Locate(one, key.Namespace) is not null))
            return true;
        if (!metadata.Deleting && metadata.Owners.All(one => one.Uid == owner || !Lives(one, key.Namespace)))
            await changes.DeleteAsync(served, key, DeleteOptions.None with { Uid = metadata.Uid, Policy = Propagation.Foreground }, cancellationToken);
        return !metadata.Owners.Any(one => one.Uid == owner && one.Blocks) || store.State.Get(key) is null;
    }

    private async Task<bool> OrphanAsync(ObjectKey key, string owner, CancellationToken cancellationToken) =>
        store.State.Get(key) is not { } present || catalog.Current.Find(key.Resource) is not { } served
        || await DisownAsync(served, present, one => one != owner, cancellationToken);

    private async Task<bool> DisownAsync(ServedResource served, StoredObject present, Func<string, bool> keep, CancellationToken cancellationToken)
    {
        var value = Json.Object(present.Json);
        var kept = (value["metadata"]!["ownerReferences"] as JsonArray ?? []).Where(one => keep(one?["uid"].Text() ?? "")).Select(one => one?.DeepClone());
        value["metadata"]!["ownerReferences"] = new JsonArray([.. kept]);
        return await changes.ReplaceAsync(served, present, value, remove: false, cancellationToken);
    }

    // An owner that is being deleted in the foreground still lives, and deletes its dependents itself.
    private bool Lives(StoredOwner owner, string @namespace) =>
        // A kind that is not served may come back: nothing is deleted for its sake, nor for that of an owner that cannot be found.
        Locate(owner, @namespace) is not { } key || (store.State.Get(key) is { } found && StoredMetadata.Of(found).Uid == owner.Uid);

    /// <summary>Null: nothing says where it is.</summary>
    private ObjectKey? Locate(StoredOwner owner, string @namespace)
    {
        var served = catalog.Current.All.FirstOrDefault(one => one.Definition.Kind == owner.Kind && one.Definition.ApiVersion == owner.ApiVersion)
            ?? catalog.Current.All.FirstOrDefault(one => one.Definition.Kind == owner.Kind && Group(owner.ApiVersion) == one.Definition.Group);
        // What is in no namespace cannot say in which its owner is.
        return served is null || (served.Definition.Namespaced && @namespace.Length == 0) ? null : served.Key(@namespace, owner.Name);
    }

    private static string Group(string apiVersion) => apiVersion.Contains('/', StringComparison.Ordinal) ? apiVersion[..apiVersion.IndexOf('/', StringComparison.Ordinal)] : "";
}
