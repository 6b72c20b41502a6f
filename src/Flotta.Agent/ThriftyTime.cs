namespace Flotta.Agent;

/// <summary>
/// A clock whose timers wait for each other: what is due in twenty seconds or more goes off at the next whole five minutes after that, so that a machine on a battery wakes
/// for all of it at once, twelve times an hour. Short waits, which belong to something that is under way, are as short as they are.
/// </summary>
internal sealed class ThriftyTime(TimeProvider clock) : TimeProvider
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Grid = TimeSpan.FromMinutes(5);

    public ThriftyTime()
        : this(System)
    {
    }

    public override TimeZoneInfo LocalTimeZone => clock.LocalTimeZone;

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    public override long GetTimestamp() => clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(callback, state, clock);
        timer.Change(dueTime, period);
        return timer;
    }

    internal static TimeSpan PutOff(TimeSpan due, TimeSpan now) => due < Short ? due : Rounded(now + due) - now;

    private static TimeSpan Rounded(TimeSpan time) => time < Short ? time : TimeSpan.FromTicks((time.Ticks + Grid.Ticks - 1) / Grid.Ticks * Grid.Ticks);

    private sealed class Timer : ITimer
    {
        private readonly Lock _gate = new();
        private readonly TimeProvider _clock;
        private readonly ITimer _timer;
        private TimeSpan? _afterwards;

        public Timer(TimerCallback callback, object? state, TimeProvider clock)
        {
            _clock = clock;
            _timer = clock.CreateTimer(
                given =>
                {
                    Align();
                    callback(given);
                },
                state,
                Timeout.InfiniteTimeSpan,
                Timeout.InfiniteTimeSpan);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (_gate)
            {
                // Off at once, and then as regularly as all else: not a few seconds beside it for ever.
                _afterwards = dueTime < Short && period >= Short ? period : null;
                return _timer.Change(Due(dueTime), _afterwards is null ? Rounded(period) : Timeout.InfiniteTimeSpan);
            }
        }

        public void Dispose() => _timer.Dispose();

        public ValueTask DisposeAsync() => _timer.DisposeAsync();

        private TimeSpan Due(TimeSpan due) => PutOff(due, _clock.GetElapsedTime(0));

        private void Align()
        {
            lock (_gate)
            {
                if (_afterwards is not { } period)
                    return;
                _afterwards = null;
                _timer.Change(Due(period), Rounded(period));
            }
        }
    }
}
