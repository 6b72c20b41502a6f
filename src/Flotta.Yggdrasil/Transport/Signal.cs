namespace Flotta.Yggdrasil.Transport;

/// <summary>Wakes one waiting loop. Set twice before anybody waits is set once.</summary>
public sealed class Signal : IDisposable
{
    // Some timers take no more than 49 days, and a loop that wakes once a day costs nothing.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);
    private readonly SemaphoreSlim _set = new(0, 1);

    public void Set()
    {
        try
        {
            _set.Release();
        }
        catch (SemaphoreFullException)
        {
            // Already set.
        }
    }

    /// <summary>Whether it was set (true) or the time passed (false).</summary>
    public async Task<bool> WaitAsync(TimeSpan time, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(time < TimeSpan.Zero ? TimeSpan.Zero : time > Longest ? Longest : time, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await _set.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose() => _set.Dispose();
}
