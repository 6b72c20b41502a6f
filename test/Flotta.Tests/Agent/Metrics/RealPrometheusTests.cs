using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Flotta.Agent.Metrics;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Agent.Metrics;

/// <summary>With Debian's Prometheus as receiver; skipped where it is not installed.</summary>
public sealed class RealPrometheusTests : IDisposable
{
    private const string Program = "/usr/bin/prometheus";
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-prometheus-").FullName;
    private readonly HttpClient _http = new();
    private Process? _prometheus;

    public void Dispose()
    {
        Kill();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_was_scraped_while_Prometheus_was_away_arrives_later_in_order_and_once()
    {
        Assert.SkipUnless(File.Exists(Program), "prometheus is not installed");
        var port = FreePort();
        var url = $"http://127.0.0.1:{port}";
        using var log = new SampleLog(Path.Combine(_folder, "log"), Retention.Default, TimeProvider.System);
        var start = TimeProvider.System.GetUtcNow().AddMinutes(-20).ToUnixTimeMilliseconds();
        Append(log, start, 0, 100);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var stored = new Signal();
        using var receiver = new RemoteWrite(url + "/api/v1/write", null, TimeSpan.FromSeconds(10), TimeProvider.System);
        var sending = Task.Run(() => new SendLoop(log, receiver, "dev1", 1000, new SpokenReport(), NullLogger.Instance, new HurriedTime()) { Pause = TimeSpan.FromMilliseconds(50) }.RunAsync(stored, stop.Token));

        Start(port);
        await Eventually.True(async () => await CountAsync(url) == 100, seconds: 60);
        Kill();
        Append(log, start, 100, 300);
        stored.Set();
        Start(port);
        await Eventually.True(async () => await CountAsync(url) == 300, seconds: 60);
        (await QueryAsync(url, "last_over_time(flotta_test_total{edgedeviceid=\"dev1\",metric_source=\"shop\"}[1h])")).ShouldBe("299");
        (await QueryAsync(url, "changes(flotta_test_total[1h])")).ShouldBe("299");
        (await QueryAsync(url, "resets(flotta_test_total[1h])")).ShouldBe("0");
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(sending);
    }

    private static void Append(SampleLog log, long start, int from, int to)
    {
        var labels = LabelSet.Of([new(LabelSet.NameLabel, "flotta_test_total"), new("metric_source", "shop"), new("Upper", "1"), new("lower", "2")]);
        for (var i = from; i < to; i++)
            log.Append(start + (i * 1000), [new Sample(labels, i)]);
    }

    private async Task<int> CountAsync(string url) => int.TryParse(await QueryAsync(url, "count_over_time(flotta_test_total[1h])"), System.Globalization.CultureInfo.InvariantCulture, out var count) ? count : 0;

    private async Task<string?> QueryAsync(string url, string query)
    {
        try
        {
            var answer = await _http.GetStringAsync(new Uri($"{url}/api/v1/query?query={Uri.EscapeDataString(query)}"));
            using var document = JsonDocument.Parse(answer);
            var result = document.RootElement.GetProperty("data").GetProperty("result");
            return result.GetArrayLength() == 1 ? result[0].GetProperty("value")[1].GetString() : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private void Start(int port)
    {
        var config = Path.Combine(_folder, "prometheus.yml");
        File.WriteAllText(config, "global: {}\n");
        var start = new ProcessStartInfo(Program) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])[$"--config.file={config}", $"--storage.tsdb.path={Path.Combine(_folder, "tsdb")}", $"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver", "--log.level=error"])
            start.ArgumentList.Add(argument);
        _prometheus = Process.Start(start)!;
        _prometheus.BeginErrorReadLine();
        _prometheus.BeginOutputReadLine();
    }

    private void Kill()
    {
        if (_prometheus is null)
            return;
        _prometheus.Kill();
        _prometheus.WaitForExit();
        _prometheus.Dispose();
        _prometheus = null;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The real clock, but pauses take a fiftieth of their time.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : dueTime / 50, period);
    }
}
