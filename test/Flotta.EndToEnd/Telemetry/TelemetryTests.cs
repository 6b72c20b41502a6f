using System.Globalization;
using System.Net.Http;

namespace Flotta.EndToEnd.Telemetry;

/// <summary>From kubectl apply to an answer of a real Prometheus, and to lines in the files of a real rsyslog and a real syslog-ng.</summary>
public sealed class TelemetryTests(ITestOutputHelper log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Metrics_and_logs_wait_for_receivers_that_are_away_and_arrive_when_they_come()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        using var folder = new TemporaryFolder();
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        var (prometheus, rsyslog, syslogNg) = (FreePort.Next(), FreePort.Next(), FreePort.Next());
        foreach (var sample in Directory.EnumerateFiles(Path.Combine(Programs.Root, "deploy", "samples", "telemetry"), "*.yaml").Order(StringComparer.Ordinal))
        {
            var manifest = (await File.ReadAllTextAsync(sample))
                .Replace("prometheus.example:9090", Local(prometheus), StringComparison.Ordinal)
                .Replace("central.example:601", Local(rsyslog), StringComparison.Ordinal)
                .Replace("archive.example:514", Local(syslogNg), StringComparison.Ordinal)
                .Replace("interval: 30", "interval: 2", StringComparison.Ordinal);
            await site.Plane.ApplyAsync(manifest);
        }

        await device.WorkloadIsAsync("bell", "Running", Patience);
        await device.WorkloadIsAsync("gong", "Running", Patience);
        foreach (var problem in new[] { "MetricsReceiverUnreachable", "log target central (127.0.0.1", "log target archive (127.0.0.1" })
            await Eventually.TrueAsync(async () => (await DescribedAsync(site)).Contains(problem, StringComparison.Ordinal), Patience, () => problem + "\n" + device.Program.Said);

        // Events are forgotten after a while; that nothing arrives is not.
        await device.IsAsync("MetricsDelivered", "False");
        await device.IsAsync("LogsDelivered", "False");
        await Eventually.TrueAsync(async () => (await LogsMessageAsync(site)) is var message && message.Contains("archive: ", StringComparison.Ordinal) && message.Contains("central: ", StringComparison.Ordinal), Patience, () => device.Program.Said);

        await using var receivers = await Receivers.StartAsync(folder, prometheus, rsyslog, syslogNg);
        using var http = new HttpClient();
        await Eventually.TrueAsync(async () => await Receivers.QueryAsync(http, prometheus, "node_memory_MemTotal_bytes{edgedeviceid=\"till-07\"}") is not null, Patience, () => device.Program.Said);
        await Eventually.TrueAsync(async () => await Receivers.QueryAsync(http, prometheus, "bell_strokes_total{edgedeviceid=\"till-07\"}") is not null, Patience, () => device.Program.Said);
        // What was said while nobody listened is there as well.
        await Eventually.TrueAsync(() => Task.FromResult(Lines(folder, "rsyslog").Any(line => IsOf(line, "bell"))), Patience, () => Said(folder, "rsyslog", device));
        await Eventually.TrueAsync(() => Task.FromResult(Lines(folder, "syslog-ng").Any(line => IsOf(line, "gong"))), Patience, () => Said(folder, "syslog-ng", device));
        Lines(folder, "rsyslog").ShouldNotContain(line => line.Contains("gong", StringComparison.Ordinal));
        foreach (var end in new[] { "MetricsReceiverReachable", "log target central takes logs again", "log target archive takes logs again" })
            await Eventually.TrueAsync(async () => (await DescribedAsync(site)).Contains(end, StringComparison.Ordinal), Patience, () => end + "\n" + device.Program.Said);
        await device.IsAsync("MetricsDelivered", "True", Patience);
        await device.IsAsync("LogsDelivered", "True", Patience);
        log.WriteLine(await DescribedAsync(site));

        // Nothing is asked for any more: nothing is said of it.
        await site.Plane.KubectlAsync("patch", "edgedevice", "till-07", "--type=merge", "-p", """{"spec":{"metrics":{"receiverConfiguration":null}}}""");
        await device.IsAsync("MetricsDelivered", "", Patience);
    }

    private static Task<string> LogsMessageAsync(Site site) => site.Plane.FieldAsync("edgedevice", "till-07", ".status.conditions[?(@.type==\"LogsDelivered\")].message");

    private static bool IsOf(string line, string workload) => line.StartsWith($"till-07|{workload}|", StringComparison.Ordinal) && line.EndsWith($"{workload} 1", StringComparison.Ordinal);

    private static string Local(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    private static Task<string> DescribedAsync(Site site) => site.Plane.KubectlAsync("describe", "edgedevice", "till-07");

    private static string[] Lines(TemporaryFolder folder, string of) => File.Exists(Receivers.Written(folder, of)) ? [.. File.ReadLines(Receivers.Written(folder, of)).Select(line => line.Trim())] : [];

    private static string Said(TemporaryFolder folder, string of, Device device) => string.Join('\n', Lines(folder, of).Take(20)) + "\n" + device.Program.Said;
}
