namespace Flotta.Yggdrasil.Workers;

/// <summary>How long to wait before a worker that ended is started again: 1 s, doubling to a minute, from the start again once it had run for a minute. Never "not at all".</summary>
internal sealed class RestartPause(Random? random = null)
{
    private static readonly TimeSpan LongRun = TimeSpan.FromMinutes(1);
    private readonly Transport.BackOff _backOff = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), random);

    public TimeSpan After(TimeSpan run)
    {
        if (run >= LongRun)
            _backOff.Reset();
        return _backOff.Next();
    }
}
