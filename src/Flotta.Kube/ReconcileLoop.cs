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

    [LoggerMessage(Level = LogLevel.Error, Message = "Reconciling {Key} failed; trying again in {Wait}")]
    private partial void LogFailed(Exception error, TKey key, TimeSpan wait);
}
