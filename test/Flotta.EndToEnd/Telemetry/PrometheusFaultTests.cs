using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http;
using Flotta.Agent.Duties;
using Flotta.Agent.Metrics;
using Flotta.EndToEnd.Faults;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.EndToEnd.Telemetry;

/// <summary>A real Prometheus that hangs, shows another certificate, has no room left or is killed: samples wait, what keeps them is known, and each arrives once.</summary>
public sealed class PrometheusFaultTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TemporaryFolder folder = new();
    private readonly int port = FreePort.Next();
    private readonly long start = TimeProvider.System.GetUtcNow().AddMinutes(-20).ToUnixTimeMilliseconds();
    private readonly ConcurrentQueue<string> problems = new();
    private int appended;
    private RunningProgram? prometheus;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Whatever_befalls_the_receiver_only_makes_samples_wait()
    {
        await using var disk = await SmallDisk.OfAsync("64m");
        using var authority = new LocalAuthority("receivers");
        using var stranger = new LocalAuthority("receivers");
        using var http = new HttpClient(new SocketsHttpHandler { SslOptions = new() { CertificateChainPolicy = authority.Policy } });
        using var log = new SampleLog(Path.Combine(folder.Path, "log"), Retention.Default, TimeProvider.System);
        using var receiver = new RemoteWrite($"https://127.0.0.1:{port}/api/v1/write", authority.Pem, TimeSpan.FromSeconds(3), TimeProvider.System);
        using var stored = new Signal();
        using var stop = new CancellationTokenSource();
        var loop = new SendLoop(log, receiver, "till-07", 1000, new Unheard(), NullLogger.Instance, new HurriedTime()) { Pause = TimeSpan.FromMilliseconds(500), Delivers = problem => problems.Enqueue(problem ?? "") };
        var sending = Task.Run(() => loop.RunAsync(stored, stop.Token));
        try
        {
            await StartAsync(authority, disk.Folder);
            Send();
            await ArriveAsync();

            prometheus!.Signal(19); // stops it where it stands
            Send();
            await ToldAsync("no answer within 3 s");
            prometheus.Signal(18);
            await ArriveAsync();

            await StartAsync(authority, disk.Folder); // killed, and with a new key and certificate
            Send();
            await ArriveAsync();

            await StartAsync(stranger, disk.Folder);
            Send();
            await ToldAsync("certificate");
            await StartAsync(authority, disk.Folder);
            await ArriveAsync();

            var filler = Path.Combine(disk.Folder, "filler");
            SmallDisk.Fill(filler);
            // More than what is left of the last page.
            log.Append(start, [.. Enumerable.Range(0, 1000).Select(number => new Sample(LabelSet.Of([new(LabelSet.NameLabel, "flotta_many"), new("number", number.ToString(CultureInfo.InvariantCulture))]), number))]);
            Send();
            await ToldAsync("it answers 500");
            File.Delete(filler);
            await ArriveAsync();
            (await QueryAsync("count(last_over_time(flotta_many[1h]))")).ShouldBe("1000");
            (await QueryAsync("resets(flotta_fault_total[1h])")).ShouldBe("0");
            (await QueryAsync("changes(flotta_fault_total[1h])")).ShouldBe((appended - 1).ToString(CultureInfo.InvariantCulture));
            log.TakeLost().ShouldBe(0);
        }
        finally
        {
            await stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(sending);
            if (prometheus is not null)
                await prometheus.DisposeAsync();
        }

        void Send()
        {
            var labels = LabelSet.Of([new(LabelSet.NameLabel, "flotta_fault_total")]);
            for (var more = 0; more < 15; more++, appended++)
                log.Append(start + (appended * 1000), [new Sample(labels, appended)]);
            stored.Set();
        }

        Task<string?> QueryAsync(string query) => Receivers.QueryAsync(http, new Uri($"https://127.0.0.1:{port}"), query);

        Task ArriveAsync() => Eventually.TrueAsync(
            async () => await QueryAsync("count_over_time(flotta_fault_total[1h])") == appended.ToString(CultureInfo.InvariantCulture), Patience, () => $"{appended} were sent; {string.Join(" | ", problems)}; {prometheus!.Said}");
    }

    private Task ToldAsync(string problem) => Eventually.TrueAsync(() => Task.FromResult(problems.Any(told => told.Contains(problem, StringComparison.Ordinal))), Patience, () => $"'{problem}' is not in {string.Join(" | ", problems)}; {prometheus!.Said}");

    /// <summary>Kills the one of before.</summary>
    private async Task StartAsync(LocalAuthority authority, string data)
    {
        if (prometheus is not null)
            await prometheus.DisposeAsync();
        authority.Issue(folder.Path);
        var (config, web) = (Path.Combine(folder.Path, "prometheus.yml"), Path.Combine(folder.Path, "web.yml"));
        await File.WriteAllTextAsync(config, "global: {}\n");
        await File.WriteAllTextAsync(web, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n");
        prometheus = RunningProgram.Start(
            "prometheus",
            [$"--config.file={config}", $"--web.config.file={web}", $"--storage.tsdb.path={data}/tsdb", $"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver", "--log.level=error"]);
    }

    private sealed class Unheard : IDutyReport
    {
        public void Warn(string reason, string message)
        {
            // What is told of deliveries is looked at instead.
        }

        public void Info(string reason, string message)
        {
            // As above.
        }
    }

    /// <summary>The real clock, but pauses take a tenth of their time.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : dueTime / 10, period);
    }
}
