namespace Flotta.Agent.DataSync;

/// <summary>How fast all transfers together may go. Without a limit it costs nothing.</summary>
internal sealed class Throttle(long? bytesPerSecond, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _began = time.GetTimestamp();
    private double _freeAt;

    /// <summary>So little that nobody waits long for it.</summary>
    public int AtOnce { get; } = (int)Math.Clamp(bytesPerSecond ?? (64 << 10), 1 << 10, 64 << 10);

    public Task TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        if (bytesPerSecond is not { } rate)
            return Task.CompletedTask;
        double wait;
        lock (_lock)
        {
            var now = time.GetElapsedTime(_began).TotalSeconds;
            // What was not used in quiet times is not made up for.
            _freeAt = Math.Max(_freeAt, now) + ((double)bytes / rate);
            wait = _freeAt - now;
        }

        return wait < 0.01 ? Task.CompletedTask : Task.Delay(TimeSpan.FromSeconds(wait), time, cancellationToken);
    }
}
