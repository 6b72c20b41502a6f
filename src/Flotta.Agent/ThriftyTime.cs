namespace Flotta.Agent;

/// <summary>
/// A clock whose timers wait for each other: what is due in twenty seconds or more goes off at the next whole five minutes after that, so that a machine on a battery wakes
/// for all of it at once, twelve times an hour (and once or twice more each time, when the threads that did it end). Short waits, which belong to something that is under way, are as short as they are.
/// </summary>
internal sealed class ThriftyTime : TimeProvider
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Grid = TimeSpan.FromMinutes(5);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new Timer(System.CreateTimer(callback, state, Due(dueTime), Rounded(period)), this);

    internal static TimeSpan PutOff(TimeSpan due, TimeSpan now) => due < Short ? due : Rounded(now + due) - now;

    private TimeSpan Due(TimeSpan due) => PutOff(due, System.GetElapsedTime(0));

    private static TimeSpan Rounded(TimeSpan time) => time < Short ? time : TimeSpan.FromTicks((time.Ticks + Grid.Ticks - 1) / Grid.Ticks * Grid.Ticks);

    private sealed class Timer(ITimer timer, ThriftyTime time) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(time.Due(dueTime), Rounded(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
