using Flotta.Wire;
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
    private long _breaks;
    private CancellationTokenSource? _asking;

    /// <summary>The server does not know this device (any more): control/in will say.</summary>
    public event Action? Missing;

    /// <summary>Takes commands that come instead of a configuration. Without it the server is not told that any may come.</summary>
    public Action<Command>? Commanded { get; init; }

    /// <summary>Requests are held, so changes arrive by themselves: the last one was, or the present one has been waiting for too long to be anything else.</summary>
    public bool IsHeld => _held || (Volatile.Read(ref _askedAt) is var asked and not 0 && time.GetElapsedTime(asked) > TimeSpan.FromSeconds(3));

    /// <summary>While requests are held: a number that is another after each time they could not be.</summary>
    public long? Holding => IsHeld ? Volatile.Read(ref _breaks) : null;

    /// <summary>Gives up a request that is being held, and asks anew.</summary>
    public void AskNow()
    {
        try
        {
            Volatile.Read(ref _asking)?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just been answered.
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            using var asking = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            Volatile.Write(ref _asking, asking);
            try
            {
                var pause = await AskAsync(asking.Token);
                await Task.Delay(pause, time, asking.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Somebody has reason to believe that there is something new.
            }
        }
    }

    internal async Task<TimeSpan> AskAsync(CancellationToken cancellationToken)
    {
        var tag = _refusedTag ?? receiver.Tag;
        var started = time.GetTimestamp();
        Volatile.Write(ref _askedAt, started);
        var answer = await transport.GetAsync(Channel.Data, tag, options.Hold, cancellationToken, commands: Commanded is not null);
        var took = time.GetElapsedTime(started);
        Volatile.Write(ref _askedAt, 0);
        _held = answer.Held;
        if (answer.Problem is not null || !(answer.IsOk || answer.Status == 304))
            Interlocked.Increment(ref _breaks);
        if (answer.Problem is null)
            Say(answer);
        if (answer.Status == 404)
            Missing?.Invoke();
        if (Commanded is not null && CommandIn(answer) is { } command)
        {
            Commanded(command);
            _pace.Reset();
            return PollPace.LeastGap;
        }

        var kept = true;
        if (answer is { Status: 200, Problem: null, Body.Length: > 0 })
        {
            var receipt = await receiver.ReceiveAsync(answer.Body, answer.ETag, cancellationToken);
            _refusedTag = receipt == Receipt.Refused ? answer.ETag : null;
            kept = receipt != Receipt.Failed;
        }

        return _pace.After(answer, tag, took, kept);
    }

    // A configuration that a held request brings has a tag.
    private static Command? CommandIn(Answer answer)
    {
        if (answer is not { Status: 200, Problem: null, Held: true, ETag: null, Body.Length: > 0 })
            return null;
        try
        {
            var message = WireJson.Read(answer.Body.Span, WireJson.Types.Message);
            return string.Equals(message.Type, MessageTypes.Command, StringComparison.Ordinal) ? WireJson.ReadContent(message.Content, WireJson.Types.Command) : null;
        }
        catch (WireFormatException)
        {
            return null;
        }
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
