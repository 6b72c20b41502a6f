using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Lifecycle;

/// <summary>Once a minute: events older than an hour go, and so does history that is old or plenty.</summary>
internal sealed class ExpiryLoop(ObjectStore store, ResourceCatalog catalog, KeptPages pages, TimeProvider time, ILogger logger)
{
    public static readonly TimeSpan EventLifetime = TimeSpan.FromHours(1);
    public static readonly TimeSpan HistoryLifetime = TimeSpan.FromMinutes(30);
    public const long HistoryLength = 20_000;

    private const long Portion = 500;
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private readonly Queue<(DateTimeOffset At, long Revision)> marks = new();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        while (true)
        {
            try
            {
                await timer.WaitForNextTickAsync(cancellationToken);
                pages.Forget();
                await ExpireEventsAsync(cancellationToken);
                await CompactAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e)
            {
                LifecycleLog.PassFailed(logger, e, "expiring");
            }
        }
    }

    private async Task ExpireEventsAsync(CancellationToken cancellationToken)
    {
        var before = (time.GetUtcNow() - EventLifetime).ToUnixTimeSeconds();
        var served = catalog.Current.Find("events");
        if (served is null)
            return;
        foreach (var some in store.State.Of(served.Resource).Where(one => one.WrittenAt < before).Chunk(256))
            await Task.WhenAll(some.Select(one => store.WriteAsync(
                new Write(one.Key, ChangeKind.Deleted, one.Revision, ObjectTemplate.From(Json.Object(one.Json)), []), cancellationToken)));
    }

    private async Task CompactAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var newest = store.State.Revision;
        marks.Enqueue((now, newest));
        var upTo = newest - HistoryLength;
        while (marks.Peek().At <= now - HistoryLifetime)
            upTo = Math.Max(upTo, marks.Dequeue().Revision);
        // In portions, so that writes that wait get their turn.
        for (var at = store.Compacted; at < upTo;)
        {
            at = Math.Min(at + Portion, upTo);
            await store.CompactAsync(at, cancellationToken);
        }
    }
}
