using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Lifecycle;

/// <summary>Runs what a cluster's controllers would do, until it is disposed of.</summary>
internal sealed class Housekeeping : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Task running;

    public Housekeeping(ObjectStore store, ResourceCatalog catalog, ObjectChanges changes, KeptPages pages, TimeProvider time, ILogger logger)
    {
        running = Task.WhenAll(
            new EmptyingLoop(store, catalog, changes, time, logger).RunAsync(stop.Token),
            new OwnerLoop(store, catalog, changes, time, logger).RunAsync(stop.Token),
            new ExpiryLoop(store, catalog, pages, time, logger).RunAsync(stop.Token),
            new FollowLoop(
                store, [AccessPolicy.ClusterRoles], "role aggregation", new RoleAggregation(store, catalog, changes).PassAsync, time, logger).RunAsync(stop.Token),
            new FollowLoop(
                store, [KindRules.Namespaces, DefaultAccounts.Accounts], "default accounts", new DefaultAccounts(store, catalog, changes).PassAsync, time, logger)
                .RunAsync(stop.Token));
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        stop.Dispose();
    }
}
