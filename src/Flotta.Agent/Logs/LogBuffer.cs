namespace Flotta.Agent.Logs;

/// <summary>Lines that wait for their target, bounded in bytes. A full one lets go of the oldest, and says how many.</summary>
internal sealed class LogBuffer(long mostBytes)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<LogLine> _lines = [];
    private long _bytes;
    private long _dropped;
    private TaskCompletionSource _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Add(LogLine line)
    {
        lock (_lock)
        {
            _lines.AddLast(line);
            _bytes += line.Bytes;
            while (_bytes > mostBytes && _lines.Count > 1)
            {
                _bytes -= _lines.First!.Value.Bytes;
                _lines.RemoveFirst();
                _dropped++;
            }

            _filled.TrySetResult();
        }
    }

    public long TakeDropped() => Interlocked.Exchange(ref _dropped, 0);

    /// <summary>The oldest lines, which stay until <see cref="Remove"/>.</summary>
    public async Task<IReadOnlyList<LogLine>> PeekAsync(int most, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task filled;
            lock (_lock)
            {
                if (_lines.Count > 0)
                    return [.. _lines.Take(most)];
                if (_filled.Task.IsCompleted)
                    _filled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                filled = _filled.Task;
            }

            await filled.WaitAsync(cancellationToken);
        }
    }

    /// <summary>They are with the target. Those that were forced out meanwhile are not counted as dropped then.</summary>
    public void Remove(IReadOnlyList<LogLine> sent)
    {
        lock (_lock)
        {
            foreach (var line in sent)
            {
                if (_lines.First is { } first && ReferenceEquals(first.Value, line))
                {
                    _bytes -= line.Bytes;
                    _lines.RemoveFirst();
                }
                else if (_dropped > 0)
                {
                    _dropped--;
                }
            }
        }
    }
}
