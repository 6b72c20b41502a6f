namespace Flotta.Yggdrasil.Transport;

/// <summary>
/// How long to wait before what ended (a worker, a session with the server) is started again: 1 s, doubling to a minute, from the start again
/// once it had run for a minute. Never "not at all".
/// </summary>
public sealed class RestartPause(Random? random = null)
{
    private static readonly TimeSpan LongRun = TimeSpan.FromMinutes(1);
    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), random);

    /// <param name="asked">At least as long as this.</param>
    public TimeSpan After(TimeSpan run, TimeSpan asked = default)
    {
        if (run >= LongRun)
            _backOff.Reset();
        var own = _backOff.Next();
        return asked > own ? asked : own;
    }
}
