using System.Net.Security;
using System.Net.Sockets;
using Flotta.Agent.Duties;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Logs;

/// <summary>Empties one target's buffer into it, over one connection that is made anew when it breaks. A line leaves the buffer when it was written.</summary>
internal sealed partial class SyslogSender(LogTarget target, LogBuffer buffer, string deviceId, IDutyReport report, ILogger logger, TimeProvider time)
{
    private const int LinesAtOnce = 200;
    private const int ToldAfter = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2));
    private int _failures;

    // Null until the first word of it.
    private bool? _delivers;

    /// <summary>Told of each line that is with the target.</summary>
    public Action<LogLine> Sent { get; init; } = static _ => { };

    /// <summary>Told what keeps the target from taking anything, or null once it does.</summary>
    public Action<string?> Delivers { get; init; } = static _ => { };

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (target.Problem is not null)
        {
            Delivers(target.Problem);
            report.Warn("LogTargetUnreachable", $"The log target {target.Name} cannot be used: {target.Problem}");
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        }

        while (true)
        {
            // Nothing to say, no connection.
            await buffer.PeekAsync(1, cancellationToken);
            try
            {
                await (target.Transport == SyslogTransport.Udp ? DatagramsAsync(cancellationToken) : StreamAsync(cancellationToken));
            }
            catch (Exception exception) when (IsOutside(exception, cancellationToken))
            {
                Failed(exception is OperationCanceledException ? "it does not answer in time" : exception is System.Security.Authentication.AuthenticationException { InnerException: { } inner } ? inner.Message : exception.Message);
            }

            TellDropped();
            await Task.Delay(_backOff.Next(), time, cancellationToken);
        }
    }

    private async Task StreamAsync(CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await WithinAsync(token => socket.ConnectAsync(target.Host, target.Port, token).AsTask(), cancellationToken);
        await using var plain = new NetworkStream(socket, ownsSocket: false);
        await using var secure = target.Transport == SyslogTransport.Tls ? new SslStream(plain) : null;
        if (secure is not null)
            await WithinAsync(token => secure.AuthenticateAsClientAsync(Options(), token), cancellationToken);
        Stream stream = secure is null ? plain : secure;
        // A receiver of syslog says nothing; when it does, or ends, the connection is over. Without this the first lines after its end would be lost.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = EndAsync(stream, ended);
        try
        {
            while (true)
            {
                var lines = await buffer.PeekAsync(LinesAtOnce, ended.Token);
                using var bytes = new MemoryStream();
                foreach (var line in lines)
                    bytes.Write(SyslogLine.Frame(SyslogLine.Encode(line, target.Format, deviceId), target.Format));
                await WithinAsync(token => stream.WriteAsync(bytes.GetBuffer().AsMemory(0, (int)bytes.Length), token).AsTask(), ended.Token);
                Reached(lines);
            }
        }
        catch (OperationCanceledException exception) when (ended.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new IOException("it closed the connection", exception);
        }
        finally
        {
            await ended.CancelAsync();
            socket.Close();
            await watching;
        }
    }

    private static async Task EndAsync(Stream stream, CancellationTokenSource ended)
    {
        try
        {
            var ignored = new byte[256];
            while (await stream.ReadAsync(ignored, ended.Token) > 0)
            {
            }

            await ended.CancelAsync();
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException or SocketException)
        {
            await ended.CancelAsync();
        }
    }

    private async Task DatagramsAsync(CancellationToken cancellationToken)
    {
        using var socket = new UdpClient(target.Host, target.Port);
        while (true)
        {
            foreach (var line in await buffer.PeekAsync(LinesAtOnce, cancellationToken))
            {
                await socket.SendAsync(SyslogLine.Encode(line, target.Format, deviceId), cancellationToken);
                Reached([line]);
            }
        }
    }

    private SslClientAuthenticationOptions Options() => new()
    {
        TargetHost = target.Host,
        CertificateChainPolicy = (string.IsNullOrWhiteSpace(target.Ca) ? Roots.System : Roots.FromPem(target.Ca)).ForServers(),
    };

    private async Task WithinAsync(Func<CancellationToken, Task> step, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        await step(either.Token);
    }

    private void Reached(IReadOnlyList<LogLine> lines)
    {
        buffer.Remove(lines);
        foreach (var line in lines)
            Sent(line);
        _backOff.Reset();
        _failures = 0;
        TellDropped();
        if (_delivers == true)
            return;
        var again = _delivers == false;
        _delivers = true;
        Delivers(null);
        if (again)
            report.Info("LogTargetReachable", $"The log target {target.Name} takes logs again");
    }

    private void Failed(string problem)
    {
        if (++_failures < ToldAfter || _delivers == false)
            return;
        _delivers = false;
        Delivers(problem);
        LogUnreachable(logger, target.Name, problem);
        report.Warn("LogTargetUnreachable", $"The log target {target.Name} ({target.Host}:{target.Port}) cannot be reached: {problem}");
    }

    private void TellDropped()
    {
        if (buffer.TakeDropped() is var dropped and > 0)
            report.Warn("LogsDropped", $"{dropped} lines for the log target {target.Name} were dropped: its buffer was full");
    }

    private static bool IsOutside(Exception exception, CancellationToken cancellationToken) =>
        exception is IOException or SocketException or System.Security.Authentication.AuthenticationException or CredentialException or ObjectDisposedException
        || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    [LoggerMessage(Level = LogLevel.Warning, Message = "log target {Target} cannot be reached: {Problem}")]
    private static partial void LogUnreachable(ILogger logger, string target, string problem);
}
