using System.Net.Http;
using System.Text.Json;

namespace Flotta.EndToEnd.Telemetry;

/// <summary>Debian's Prometheus, rsyslog and syslog-ng as processes of the test's own.</summary>
internal sealed class Receivers : IAsyncDisposable
{
    /// <summary>Debian installs only one syslog at a time: the second one is unpacked there by scripts/setup.sh.</summary>
    private const string SyslogNg = "/var/cache/flotta-tests/syslog-ng";

    private readonly List<RunningProgram> programs = [];

    public static string Written(TemporaryFolder folder, string of) => Path.Combine(folder.Path, of + ".out");

    public static async Task<Receivers> StartAsync(TemporaryFolder folder, int prometheus, int rsyslog, int syslogNg)
    {
        var all = new Receivers();
        all.programs.Add(await PrometheusAsync(folder, prometheus));
        all.programs.Add(await RsyslogAsync(folder, rsyslog));
        all.programs.Add(await SyslogNgAsync(folder, syslogNg));
        return all;
    }

    /// <summary>What Prometheus answers, null for nothing.</summary>
    public static Task<string?> QueryAsync(HttpClient http, int port, string query) => QueryAsync(http, new Uri(FormattableString.Invariant($"http://127.0.0.1:{port}")), query);

    public static async Task<string?> QueryAsync(HttpClient http, Uri prometheus, string query)
    {
        try
        {
            using var document = JsonDocument.Parse(await http.GetStringAsync(new Uri(prometheus, "/api/v1/query?query=" + Uri.EscapeDataString(query))));
            var result = document.RootElement.GetProperty("data").GetProperty("result");
            return result.GetArrayLength() > 0 ? result[0].GetProperty("value")[1].GetString() : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var program in programs)
            await program.DisposeAsync();
    }

    public static async Task<RunningProgram> PrometheusAsync(TemporaryFolder folder, int port)
    {
        var config = Path.Combine(folder.Path, "prometheus.yml");
        await File.WriteAllTextAsync(config, "global: {}\n");
        return RunningProgram.Start(
            "prometheus",
            [$"--config.file={config}", $"--storage.tsdb.path={folder.Sub("tsdb")}", $"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver", "--log.level=error"]);
    }

    private static async Task<RunningProgram> RsyslogAsync(TemporaryFolder folder, int port)
    {
        var config = Path.Combine(folder.Path, "rsyslog.conf");
        await File.WriteAllTextAsync(config, $"""
            module(load="imtcp")
            input(type="imtcp" address="127.0.0.1" port="{port}")
            template(name="t" type="string" string="%hostname%|%programname%|%msg%\n")
            action(type="omfile" file="{Written(folder, "rsyslog")}" template="t")

            """);
        return RunningProgram.Start("/usr/sbin/rsyslogd", ["-n", "-f", config, "-i", Path.Combine(folder.Path, "rsyslog.pid")]);
    }

    private static async Task<RunningProgram> SyslogNgAsync(TemporaryFolder folder, int port)
    {
        var config = Path.Combine(folder.Path, "syslog-ng.conf");
        await File.WriteAllTextAsync(config, $$"""
            @version: 3.38
            options { keep-hostname(yes); };
            source s { network(ip("127.0.0.1") port({{port}}) transport("tcp")); };
            destination d { file("{{Written(folder, "syslog-ng")}}" template("$HOST|$PROGRAM|$MSG\n")); };
            log { source(s); destination(d); };

            """);
        var modules = Path.Combine(SyslogNg, "usr/lib/syslog-ng/3.38");
        var libraries = Directory.GetDirectories(Path.Combine(SyslogNg, "usr/lib")).Append(modules);
        return RunningProgram.Start(
            Path.Combine(SyslogNg, "usr/sbin/syslog-ng"),
            [
                "-F", "-f", config, "--module-path", modules, "--no-caps",
                "-R", Path.Combine(folder.Path, "persist"), "-c", Path.Combine(folder.Path, "control"), "-p", Path.Combine(folder.Path, "syslog-ng.pid"),
            ],
            new Dictionary<string, string> { ["LD_LIBRARY_PATH"] = string.Join(':', libraries) });
    }
}
