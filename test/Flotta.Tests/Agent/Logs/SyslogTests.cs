using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Flotta.Agent.Logs;
using Flotta.Agent.Workloads;
using Flotta.Tests.Agent.Metrics;
using Flotta.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Agent.Logs;

public sealed class SyslogTests
{
    private static readonly DateTimeOffset At = new(2026, 3, 1, 10, 20, 30, 456, TimeSpan.Zero);

    [Fact]
    public void The_original_format_is_written_as_the_original_writes_it() =>
        Text(SyslogLine.Frame(SyslogLine.Encode(Line("hello"), SyslogFormat.Original, "dev1"), SyslogFormat.Original))
            .ShouldBe("<6>2026-03-01T10:20:30.456000Z dev1 shop[0]: web: hello\n");

    [Fact]
    public void RFC_5424_has_a_head_a_mark_and_a_count_of_bytes()
    {
        var message = SyslogLine.Encode(Line("grüße"), SyslogFormat.Rfc5424, "dev1");
        Text(message).ShouldBe("<14>1 2026-03-01T10:20:30.456000Z dev1 shop - web - \uFEFFgrüße");
        Text(SyslogLine.Frame(message, SyslogFormat.Rfc5424)).ShouldStartWith($"{message.Length} <14>1 ");
    }

    [Fact]
    public void A_container_cannot_write_the_line_of_another()
    {
        foreach (var format in (SyslogFormat[])[SyslogFormat.Original, SyslogFormat.Rfc5424])
            Text(SyslogLine.Encode(Line("a\n<0>forged\u0000\u001b"), format, "dev1")).ShouldEndWith("a <0>forged  ");
    }

    [Theory]
    [InlineData("syslog", "host:514", null, null)]
    [InlineData(null, "[::1]:514", "udp", null)]
    [InlineData("syslog", "host:6514", "tls", null)]
    [InlineData("syslog", "host:514", "rfc5424+tcp", null)]
    [InlineData("syslog", "host", "tcp", "its address is not host:port")]
    [InlineData("syslog", "host:99999", "tcp", "its address is not host:port")]
    [InlineData("syslog", null, "tcp", "its address is not host:port")]
    [InlineData("loki", "host:514", "tcp", "its kind is not syslog")]
    [InlineData("syslog", "host:514", "pigeon", "its protocol is none of tcp, udp, rfc5424+tcp, rfc5424+udp, tls")]
    public void A_target_that_cannot_be_used_says_why(string? kind, string? address, string? protocol, string? problem) =>
        LogTarget.Of("x", new LogCollection { Kind = kind, SyslogConfig = new SyslogConfiguration(address, protocol) }).Problem.ShouldBe(problem);

    [Fact]
    public async Task A_full_buffer_lets_go_of_the_oldest_and_counts()
    {
        var buffer = new LogBuffer(1000);
        for (var i = 0; i < 100; i++)
            buffer.Add(Line($"{i:D3}"));
        var kept = await buffer.PeekAsync(1000, TestContext.Current.CancellationToken);
        kept[^1].Text.ShouldBe("099");
        kept.Sum(line => line.Bytes).ShouldBeLessThanOrEqualTo(1000);
        (buffer.TakeDropped() + kept.Count).ShouldBe(100);
    }

    [Fact]
    public async Task What_podman_frames_is_read_and_what_is_too_long_is_cut()
    {
        var bytes = new MemoryStream();
        foreach (var (stream, text) in ((byte, string)[])[(1, "2026-03-01T10:20:30.456789012Z one\n"), (2, "2026-03-01T11:20:31+01:00 two three\n"), (1, "2026-03-01T10:20:32Z " + new string('x', 100_000) + "\n"), (1, "2026-03-01T10:20:33Z last\n")])
        {
            var line = Encoding.UTF8.GetBytes(text);
            bytes.Write([stream, 0, 0, 0, (byte)(line.Length >> 24), (byte)(line.Length >> 16), (byte)(line.Length >> 8), (byte)line.Length, .. line]);
        }

        bytes.Position = 0;
        var lines = new List<(DateTimeOffset Time, string Text)>();
        await foreach (var line in LogFrames.ReadAsync(bytes, TestContext.Current.CancellationToken))
            lines.Add(line);
        lines.Select(line => line.Text[..Math.Min(9, line.Text.Length)]).ShouldBe(["one", "two three", "xxxxxxxxx", "last"]);
        lines[1].Time.ShouldBe(new DateTimeOffset(2026, 3, 1, 10, 20, 31, TimeSpan.Zero));
        lines[2].Text.Length.ShouldBeLessThan(17_000);
    }

    [Fact]
    public async Task A_target_that_went_away_gets_the_rest_over_a_new_connection_and_people_are_told()
    {
        using var first = new TcpListener(IPAddress.Loopback, 0);
        first.Start();
        var port = ((IPEndPoint)first.LocalEndpoint).Port;
        await using var site = new Site($"127.0.0.1:{port}", "tcp");
        site.Buffer.Add(Line("one"));
        using (var client = await first.AcceptTcpClientAsync(TestContext.Current.CancellationToken))
        {
            using var reader = new StreamReader(client.GetStream());
            (await reader.ReadLineAsync(TestContext.Current.CancellationToken))!.ShouldEndWith("web: one");
            first.Stop();
        }

        await Eventually.True(() =>
        {
            if (site.Report.Said.Count == 0)
                site.Buffer.Add(Line("while away"));
            return site.Report.Said.Any(said => said.StartsWith("LogTargetUnreachable: The log target x (127.0.0.1:", StringComparison.Ordinal));
        });
        site.Buffer.Add(Line("last"));
        using var second = new TcpListener(IPAddress.Loopback, port);
        second.Start();
        using var again = await second.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        using var rest = new StreamReader(again.GetStream());
        string? line;
        while ((line = await rest.ReadLineAsync(TestContext.Current.CancellationToken))!.EndsWith("while away", StringComparison.Ordinal))
        {
        }

        line.ShouldEndWith("web: last");
        await Eventually.True(() => site.Report.Said.Any(said => said.StartsWith("LogTargetReachable", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task TLS_goes_only_to_a_target_that_its_authority_signed()
    {
        var authority = new TestAuthority();
        var other = new TestAuthority();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        await using var stranger = new Site(address, "tls", other.Pem);
        stranger.Buffer.Add(Line("secret"));
        using (var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken))
        {
            await using var refused = new SslStream(client.GetStream());
            await Should.ThrowAsync<Exception>(async () =>
            {
                await refused.AuthenticateAsServerAsync(authority.Server());
                (await refused.ReadAsync(new byte[1])).ShouldBe(0);
                throw new IOException("it hung up");
            });
        }

        await stranger.DisposeAsync();
        await using var friend = new Site(address, "tls", authority.Pem);
        friend.Buffer.Add(Line("hello"));
        using var accepted = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await using var secure = new SslStream(accepted.GetStream());
        await secure.AuthenticateAsServerAsync(authority.Server());
        var buffer = new byte[100];
        var count = await secure.ReadAtLeastAsync(buffer, 20);
        Text(buffer[..count]).ShouldContain(" <14>1 2026-");
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("rfc5424+tcp")]
    [InlineData("rfc5424+udp")]
    public async Task Rsyslog_writes_what_containers_wrote(string protocol)
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/rsyslogd"), "rsyslog is not installed");
        var folder = Directory.CreateTempSubdirectory("flotta-rsyslog-").FullName;
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        var module = protocol.EndsWith("udp", StringComparison.Ordinal) ? "udp" : "tcp";
        var (config, written) = (Path.Combine(folder, "rsyslog.conf"), Path.Combine(folder, "out"));
        await File.WriteAllTextAsync(config, $"""
            module(load="im{module}")
            input(type="im{module}" address="127.0.0.1" port="{port}")
            template(name="t" type="string" string="%hostname%|%programname%|%msgid%|%msg%\n")
            action(type="omfile" file="{written}" template="t")
            """, TestContext.Current.CancellationToken);
        var start = new ProcessStartInfo("/usr/sbin/rsyslogd") { RedirectStandardError = true };
        foreach (var argument in (string[])["-n", "-f", config, "-i", Path.Combine(folder, "pid")])
            start.ArgumentList.Add(argument);
        using var rsyslog = Process.Start(start)!;
        try
        {
            await using var site = new Site($"127.0.0.1:{port}", protocol);
            await Eventually.True(() =>
            {
                // UDP tells nobody when it comes too early.
                site.Buffer.Add(Line("rung"));
                return File.Exists(written) && File.ReadAllText(written).Contains("rung", StringComparison.Ordinal);
            });
            for (var i = 0; i < 50; i++)
                site.Buffer.Add(Line($"number {i} grüße"));
            await Eventually.True(() => File.ReadLines(written).Count(line => line.Contains("number", StringComparison.Ordinal)) == 50);
            var last = File.ReadLines(written).Last(line => line.Contains("number 49", StringComparison.Ordinal));
            last.ShouldStartWith("dev1|shop|");
            last.ShouldEndWith("number 49 grüße");
        }
        finally
        {
            rsyslog.Kill();
            await rsyslog.WaitForExitAsync(TestContext.Current.CancellationToken);
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void What_was_sent_is_known_after_a_restart()
    {
        var file = Path.GetTempFileName();
        var positions = new LogPositions(file, At, At);
        positions.Of("a").ShouldBe(At);
        positions.Sent("a", At.AddSeconds(10));
        positions.Sent("a", At.AddSeconds(5));
        positions.Sent("gone", At.AddSeconds(20));
        positions.Save(new HashSet<string>(StringComparer.Ordinal) { "a" });
        var again = new LogPositions(file, At.AddDays(1), At.AddDays(1));
        again.Of("a").ShouldBe(At.AddSeconds(10));
        again.Of("made while the agent was away").ShouldBe(At.AddSeconds(10));
        File.Delete(file);
    }

    [Fact]
    public void After_the_clock_was_set_back_lines_are_new_from_the_restart_on()
    {
        var file = Path.GetTempFileName();
        var containers = new HashSet<string>(StringComparer.Ordinal) { "a", "b" };
        var positions = new LogPositions(file, At, At);
        positions.Sent("a", At);
        positions.Sent("b", At.AddDays(-2));
        positions.Save(containers);
        var now = At.AddDays(-1);
        var again = new LogPositions(file, now.AddMinutes(-1), now);
        (again.Of("a"), again.Of("b")).ShouldBe((now, At.AddDays(-2)));
        again.Save(containers);
        new LogPositions(file, now, now.AddHours(1)).Of("a").ShouldBe(now);
        File.Delete(file);
    }

    private static LogLine Line(string text) => new("shop", "web", At, text) { ContainerId = "c1" };

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private sealed class Site : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Site(string address, string protocol, string? ca = null)
        {
            var target = LogTarget.Of("x", new LogCollection { SyslogConfig = new SyslogConfiguration(address, protocol, ca) });
            _running = Task.Run(() => new SyslogSender(target, Buffer, "dev1", Report, NullLogger.Instance, TimeProvider.System).RunAsync(_stop.Token));
        }

        public LogBuffer Buffer { get; } = new(1 << 20);

        public SpokenReport Report { get; } = new();

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running.ContinueWith(static _ => { }, TaskScheduler.Default);
        }
    }
}
