using System.Globalization;
using Flotta.Wire;
using Microsoft.Extensions.Logging;

namespace Flotta.Yggdrasil.Transport;

/// <summary>Why a <see cref="ControlLoop"/> ended. A delay: connect anew after it; none: the server wants no more of this device.</summary>
public sealed record ControlEnd(TimeSpan? ReconnectAfter)
{
    public bool IsDisconnect => ReconnectAfter is null;
}

/// <summary>Says that this device is there (connection-status), and does what control/in asks: ping, reconnect, disconnect, cancel.</summary>
public sealed partial class ControlLoop(
    HttpsTransport transport,
    IStatusSource status,
    Func<bool> isHeld,
    PollOptions options,
    ILogger<ControlLoop> logger,
    TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Slice = TimeSpan.FromMinutes(1);
    private readonly Signal _ask = new();
    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(30));
    private object? _toldStamp;

    /// <summary>The server does not want the message of this id handled any more.</summary>
    public event Action<string>? Cancelled;

    /// <summary>Something hints that there is news on control/in.</summary>
    public void AskNow() => _ask.Set();

    public async Task<ControlEnd> RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await TellStatusAsync(cancellationToken);
            var answer = await transport.GetAsync(Channel.Control, null, null, cancellationToken);
            if (Parse(answer) is { } message && await ObeyAsync(message, cancellationToken) is { } end)
                return end;
            await PauseAsync(answer, cancellationToken);
        }
    }

    public void Dispose() => _ask.Dispose();

    private async Task PauseAsync(Answer answer, CancellationToken cancellationToken)
    {
        if (answer.Problem is not null || !answer.IsOk)
        {
            await Task.Delay(_backOff.Next(answer.RetryAfter), time, cancellationToken);
            return;
        }

        _backOff.Reset();
        // However often somebody hints, not more than once a second.
        var least = TimeSpan.FromSeconds(1);
        await Task.Delay(least, time, cancellationToken);
        await UntilDueAsync(least, cancellationToken);
    }

    // data/in may come to be held, or stop being held, while this waits (after a start it always does), so each slice asks anew how long.
    // And however rarely control/in is looked at: what is new of ourselves (tags) is told within a minute.
    private async Task UntilDueAsync(TimeSpan waited, CancellationToken cancellationToken)
    {
        var (started, seen, part) = (time.GetTimestamp(), status.Stamp, BackOff.Around(TimeSpan.FromSeconds(1), 0.2).TotalSeconds);
        while (Equals(status.Stamp, seen))
        {
            var left = ((isHeld() ? options.RelaxedControlInterval : options.Interval) - waited) * part - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || await _ask.WaitAsync(left < Slice ? left : Slice, time, cancellationToken))
                return;
        }
    }

    private async Task TellStatusAsync(CancellationToken cancellationToken)
    {
        var stamp = status.Stamp;
        if (Equals(stamp, _toldStamp))
            return;
        var answer = await transport.PostAsync(Channel.Control, Message.Status(status.Read(), time.GetUtcNow()), cancellationToken);
        if (answer.IsOk)
            _toldStamp = stamp;
    }

    private Message? Parse(Answer answer)
    {
        if (!answer.IsOk || answer.Body.IsEmpty)
            return null;
        try
        {
            return WireJson.Read(answer.Body.Span, WireJson.Types.Message);
        }
        catch (WireFormatException exception)
        {
            LogUnreadable(logger, exception.Message);
            return null;
        }
    }

    private async Task<ControlEnd?> ObeyAsync(Message message, CancellationToken cancellationToken)
    {
        if (!string.Equals(message.Type, MessageTypes.Command, StringComparison.Ordinal))
            return null;
        Command command;
        try
        {
            command = WireJson.ReadContent(message.Content, WireJson.Types.Command);
        }
        catch (WireFormatException exception)
        {
            LogUnreadable(logger, exception.Message);
            return null;
        }

        switch (command.Name)
        {
            case Commands.Disconnect:
                return new ControlEnd(ReconnectAfter: null);
            case Commands.Reconnect:
                return new ControlEnd(Delay(command));
            case Commands.Ping:
                await transport.PostAsync(Channel.Control, Message.Event(Commands.Pong, message.MessageId, time.GetUtcNow()), cancellationToken);
                return null;
            case Commands.Cancel:
                if (command.Arguments?.GetValueOrDefault("messageID") is { Length: > 0 } id)
                    Cancelled?.Invoke(id);
                return null;
            default:
                LogUnknown(logger);
                return null;
        }
    }

    // Seconds, as text; nonsense and more than an hour are brought within reason.
    private static TimeSpan Delay(Command command) =>
        command.Arguments?.TryGetValue("delay", out var text) == true
        && double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
        && double.IsFinite(seconds)
            ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 3600))
            : TimeSpan.Zero;

    [LoggerMessage(Level = LogLevel.Warning, Message = "a message on control/in cannot be read and is ignored: {Problem}")]
    private static partial void LogUnreadable(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the server sends a command that this agent does not know")]
    private static partial void LogUnknown(ILogger logger);
}
