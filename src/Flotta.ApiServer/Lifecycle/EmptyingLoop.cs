using System.Runtime.ExceptionServices;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Lifecycle;

/// <summary>Empties namespaces and definitions that are being deleted, and lets them go when nothing is left.</summary>
internal sealed class EmptyingLoop(ObjectStore store, ResourceCatalog catalog, ObjectChanges changes, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(250);

    // What went wrong first in this pass; the rest of the pass is made nevertheless.
    private Exception? failed;

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
                LifecycleLog.PassFailed(logger, e, "emptying");
                await Task.Delay(Again * 4, time, CancellationToken.None);
            }
        }
    }

    // Ends when a subscription does: too many changes at once, so it begins anew.
    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        using var namespaces = store.Subscribe(KindRules.Namespaces);
        using var definitions = store.Subscribe(ServedResources.Definitions);
        Task<bool> Next(Subscription of) => of.Changes.WaitToReadAsync(cancellationToken).AsTask();
        var (one, other) = (Next(namespaces), Next(definitions));
        while (true)
        {
            var changed = Task.WhenAny(one, other);
            // What waits for somebody's finalizers is looked at again soon; else a change wakes us.
            while (await PassAsync(cancellationToken) && await Task.WhenAny(changed, Task.Delay(Again, time, cancellationToken)) != changed)
                cancellationToken.ThrowIfCancellationRequested();
            if (!await await changed)
                return;
            while (namespaces.Changes.TryRead(out _) || definitions.Changes.TryRead(out _))
            {
            }

            one = one.IsCompleted ? Next(namespaces) : one;
            other = other.IsCompleted ? Next(definitions) : other;
        }
    }

    /// <summary>True: something is still to be emptied.</summary>
    private async Task<bool> PassAsync(CancellationToken cancellationToken)
    {
        (var waiting, failed) = (false, null);
        var state = store.State;
        foreach (var one in Terminating(state, KindRules.Namespaces))
            waiting |= !await EmptyAsync(one, resource => store.State.List(resource.Resource, one.Key.Name, null), served => served.Definition.Namespaced, cancellationToken);
        foreach (var one in Terminating(state, ServedResources.Definitions))
            waiting |= !await EmptyAsync(one, resource => store.State.Of(resource.Resource), served => served.Resource == one.Key.Name, cancellationToken);
        if (failed is not null)
            ExceptionDispatchInfo.Throw(failed);
        return waiting;
    }

    private static List<StoredObject> Terminating(StoreState state, string resource) => [.. state.Of(resource).Where(one => StoredMetadata.Of(one).Deleting)];

    private async Task<bool> EmptyAsync(
        StoredObject container, Func<ServedResource, IEnumerable<StoredObject>> contents, Func<ServedResource, bool> concerned, CancellationToken cancellationToken)
    {
        foreach (var served in catalog.Current.All.Where(concerned).DistinctBy(one => one.Resource).ToList())
        {
            foreach (var some in contents(served).ToList().Chunk(64))
                await Task.WhenAll(some.Select(one => DeleteAsync(served, one, cancellationToken)));
        }

        // After the last look: nothing new can come in, because creates are guarded by this very object.
        if (catalog.Current.All.Where(concerned).Any(served => contents(served).Any()))
            return false;
        try
        {
            return await ReleaseAsync(container, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            failed ??= e;
            return false;
        }
    }

    private async Task DeleteAsync(ServedResource served, StoredObject one, CancellationToken cancellationToken)
    {
        try
        {
            await changes.DeleteAsync(served, one.Key, DeleteOptions.None, cancellationToken);
        }
        catch (StatusException e) when (e.Status.Code is 404 or 409)
        {
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            failed ??= e;
        }
    }

    private async Task<bool> ReleaseAsync(StoredObject container, CancellationToken cancellationToken)
    {
        var present = store.State.Get(container.Key);
        if (present is null)
            return true;
        var value = Json.Object(present.Json);
        (value["spec"] as JsonObject)?.Remove(container.Key.Resource == KindRules.Namespaces ? "finalizers" : "");
        var finalizers = (value["metadata"]!["finalizers"] as JsonArray)?.Select(one => one.Text()!).Where(one => one != KindRules.DefinitionFinalizer).ToList() ?? [];
        value["metadata"]!["finalizers"] = new JsonArray([.. finalizers.Select(one => (JsonNode)one)]);
        var released = finalizers.Count == 0;
        var served = catalog.Current.Find(container.Key.Resource)!;
        // What somebody else still holds was left as it is by an earlier pass: do not write the same again.
        if (!released && JsonNode.DeepEquals(value, Json.Object(present.Json)))
            return true;
        return await changes.ReplaceAsync(served, present, value, released, cancellationToken);
    }
}
