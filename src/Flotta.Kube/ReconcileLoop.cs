using Microsoft.Extensions.Logging;

namespace Flotta.Kube;

/// <summary>What a reconciler says when all is well: look again at some time, or only when something changes.</summary>
public readonly record struct ReconcileResult(TimeSpan? LookAgainAfter)
{
    public static ReconcileResult Done => default;

    public static ReconcileResult After(TimeSpan wait) => new(wait);
}

/// <summary>One round, for metrics.</summary>
public readonly record struct ReconcileRound(string Loop, TimeSpan Duration, bool Succeeded, int Waiting);

public sealed record ReconcileLoopOptions
{
    public int Workers { get; init; } = 4;

    /// <summary>A round that takes longer is cancelled and tried again.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(2);

    public Action<ReconcileRound>? Observe { get; init; }

    /// <summary>Asked before each round: false for whoever has lost the Lease that the work belongs to. The key is kept for when it is held again.</summary>
    public Func<bool>? MayWork { get; init; }
}

/// <summary>
/// N workers that take keys and reconcile them. A reconciler that throws is called again for the key, after a back-off of that key alone;
/// exceptions are caught and logged here and nowhere else.
/// </summary>
public sealed partial class ReconcileLoop<TKey>(
    string name,
    WorkQueue<TKey> queue,
    Func<TKey, CancellationToken, Task<ReconcileResult>> reconcile,
    ILoggerFactory loggers,
    TimeProvider time,
    ReconcileLoopOptions? options = null)
    where TKey : notnull
{
    private static readonly TimeSpan LookForLease = TimeSpan.FromSeconds(1);

    private readonly ILogger logger = loggers.CreateLogger("Flotta.Kube.ReconcileLoop." + name);
    private readonly ReconcileLoopOptions options = options ?? new();

    /// <summary>Runs until cancelled; then waits for the rounds under way.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, options.Workers).Select(_ => Task.Run(() => WorkAsync(cancellationToken), CancellationToken.None)));

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            TKey key;
            try
            {
                key = await queue.TakeAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            try
            {
                await RoundAsync(key, cancellationToken);
            }
            finally
            {
                queue.Done(key);
            }
        }
    }

    private async Task RoundAsync(TKey key, CancellationToken cancellationToken)
    {
        if (options.MayWork?.Invoke() == false)
        {
            queue.AddAfter(key, LookForLease);
            return;
        }

        var started = time.GetTimestamp();
        var succeeded = false;
        try
        {
            using var patience = new CancellationTokenSource(options.Patience, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            var result = await reconcile(key, both.Token);
            succeeded = true;
            queue.Forget(key);
            if (result.LookAgainAfter is { } wait)
                queue.AddAfter(key, wait);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopping; whoever starts next reconciles everything anyway.
        }
        catch (KubeException conflict) when (conflict.IsConflict && !conflict.IsAlreadyExists)
        {
            // Somebody else wrote first. Ordinary: look at what is true now.
            LogConflict(key, queue.Retry(key));
        }
        catch (LeaseLostException)
        {
            LogLeaseLost(key);
            queue.AddAfter(key, LookForLease);
        }
        catch (Exception away) when (away is HttpRequestException or TimeoutException or KubeException { IsTemporary: true })
        {
            // Where in our program that happened tells nobody anything.
            LogUnavailable(key, away.Message, queue.Retry(key, (away as KubeException)?.RetryAfter));
        }
        catch (Exception error)
        {
            LogFailed(error, key, queue.Retry(key, (error as KubeException)?.RetryAfter));
        }
        finally
        {
            options.Observe?.Invoke(new(name, time.GetElapsedTime(started), succeeded, queue.Count));
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Key} changed meanwhile; trying again in {Wait}")]
    private partial void LogConflict(TKey key, TimeSpan wait);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key} is left as it is: the Lease was lost in the middle of its round")]
    private partial void LogLeaseLost(TKey key);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key} has to wait for the API server ({Error}); trying again in {Wait}")]
    private partial void LogUnavailable(TKey key, string error, TimeSpan wait);

    [LoggerMessage(Level = LogLevel.Error, Message = "Reconciling {Key} failed; trying again in {Wait}")]
    private partial void LogFailed(Exception error, TKey key, TimeSpan wait);
}
