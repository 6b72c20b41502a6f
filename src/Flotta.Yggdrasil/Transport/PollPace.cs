namespace Flotta.Yggdrasil.Transport;

/// <summary>When to ask data/in again: at once where the server holds requests, every few seconds where it does not, ever more slowly where it fails.</summary>
internal sealed class PollPace(TimeSpan interval, Random? random = null)
{
    // A server that says it holds and does not, or changes its mind all the time, must not make us spin.
    internal static readonly TimeSpan LeastGap = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan ShortestHold = TimeSpan.FromSeconds(1);
    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random);

    public void Reset() => _backOff.Reset();

    public TimeSpan After(Answer answer, string? askedTag, TimeSpan took, bool kept)
    {
        if (answer.Problem is not null || !kept || !(answer.IsOk || answer.Status == 304))
            return _backOff.Next(answer.Status is 429 or 503 ? answer.RetryAfter : null);
        _backOff.Reset();
        var isNew = answer.Status == 200 && answer.ETag is not null && answer.ETag != askedTag;
        if (isNew || (answer.Held && took >= ShortestHold))
            return BackOff.Around(LeastGap, 0.5, random);
        return BackOff.Around(interval, 0.2, random);
    }
}
