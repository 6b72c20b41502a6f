using Microsoft.Extensions.Logging;

namespace Flotta.Yggdrasil.Transport;

/// <summary>Asks data/in for the device's configuration, one request at a time, so that an older answer never overtakes a newer one.</summary>
public sealed partial class DataLoop(HttpsTransport transport, IDataReceiver receiver, PollOptions options, ILogger<DataLoop> logger, TimeProvider time)
{
    private readonly PollPace _pace = new(options.Interval);
    private string? _refusedTag;
    private int _lastStatus;
    private bool _held;
    private long _askedAt;

    /// <summary>The server does not know this device (any more): control/in will say.</summary>
    public event Action? Missing;

    /// <summary>Requests are held, so changes arrive by themselves: the last one was, or the present one has been waiting for too long to be anything else.</summary>
    public bool IsHeld => _held || (Volatile.Read(ref _askedAt) is var asked and not 0 && time.GetElapsedTime(asked) > TimeSpan.FromSeconds(3));

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var pause = await AskAsync(cancellationToken);
            await Task.Delay(pause, time, cancellationToken);
        }
    }

    internal async Task<TimeSpan> AskAsync(CancellationToken cancellationToken)
    {
        var tag = _refusedTag ?? receiver.Tag;
        var started = time.GetTimestamp();
        Volatile.Write(ref _askedAt, started);
        var answer = await transport.GetAsync(Channel.Data, tag, options.Hold, cancellationToken);
        var took = time.GetElapsedTime(started);
        Volatile.Write(ref _askedAt, 0);
        _held = answer.Held;
        if (answer.Problem is null)
            Say(answer);
        if (answer.Status == 404)
            Missing?.Invoke();
        var kept = true;
        if (answer is { Status: 200, Problem: null, Body.Length: > 0 })
        {
            var receipt = await receiver.ReceiveAsync(answer.Body, answer.ETag, cancellationToken);
            _refusedTag = receipt == Receipt.Refused ? answer.ETag : null;
            kept = receipt != Receipt.Failed;
        }

        return _pace.After(answer, tag, took, kept);
    }

    private void Say(Answer answer)
    {
        if (answer.Status == _lastStatus)
            return;
        _lastStatus = answer.Status;
        if (answer is { IsOk: false, Status: not 304 })
            LogStatus(logger, answer.Status);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the server answers {Status} when asked for this device's configuration")]
    private static partial void LogStatus(ILogger logger, int status);
}
