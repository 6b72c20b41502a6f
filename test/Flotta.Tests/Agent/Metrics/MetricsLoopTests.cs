using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using Flotta.Agent.Hardware;
using Flotta.Agent.Metrics;
using Flotta.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Agent.Metrics;

public sealed class MetricsLoopTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-metrics-").FullName;
    private readonly ConcurrentQueue<string> _received = new();
    private readonly SpokenReport _report = new();
    private WebApplication? _server;

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task The_machine_and_the_endpoints_of_workloads_arrive_at_the_receiver()
    {
        var address = await StartAsync(async context =>
        {
            switch (context.Request.Path.Value)
            {
                case "/plain":
                    await context.Response.WriteAsync("shop_sales_total 3\nshop_secret 1\n");
                    break;
                case "/open":
                    context.Response.ContentType = "application/openmetrics-text; version=1.0.0";
                    context.Response.Headers.ContentEncoding = "gzip";
                    await using (var gzip = new GZipStream(context.Response.Body, CompressionLevel.Fastest))
                        await gzip.WriteAsync("till_open{lane=\"1\"} 1 # {id=\"x\"} 1\n# EOF\n"u8.ToArray());
                    break;
            }
        });
        var port = new Uri(address).Port;
        var configuration = Configuration(address, new Workload
        {
            Name = "shop",
            Metrics = new WorkloadMetrics
            {
                Port = port,
                Path = "/plain",
                Interval = 1,
                AllowList = new MetricsAllowList(["shop_sales_total", "till_open"]),
                Containers = new Dictionary<string, ContainerMetrics>(StringComparer.Ordinal) { ["till"] = new() { Path = "open" }, ["quiet"] = new() { Disabled = true } },
            },
        });
        await RunUntilAsync(configuration, new FakePods(new PodAddress("127.0.0.1", ["web", "till", "quiet"])), () =>
            Has("__name__=shop_sales_total,edgedeviceid=dev1,metric_source=shop")
            && Has("__name__=till_open,edgedeviceid=dev1,lane=1,metric_container=till,metric_source=shop")
            && Has("__name__=node_memory_MemTotal_bytes,edgedeviceid=dev1,metric_source=system"));
        _received.ShouldNotContain(labels => labels.Contains("shop_secret", StringComparison.Ordinal));
        _received.ShouldNotContain(labels => labels.Contains("node_load1", StringComparison.Ordinal), "it is not on the default list");
    }

    [Theory]
    [InlineData("bomb", "more than 8192 KiB")]
    [InlineData("endless", "a line of more than 16 KiB")]
    [InlineData("silent", "did not answer within 1 s")]
    [InlineData("html", "does not begin with the name of a metric")]
    [InlineData("missing", "it answers 404")]
    [InlineData("away", "it answers 302")]
    public async Task A_hostile_endpoint_is_cut_off_and_reported_once_and_the_rest_goes_on(string path, string said)
    {
        var asked = 0;
        var address = await StartAsync(async context =>
        {
            if (context.Request.Path != "/m")
            {
                Interlocked.Increment(ref asked);
                await BadAsync(context, path);
                return;
            }

            await context.Response.WriteAsync("good 1\n");
        });
        var port = new Uri(address).Port;
        var configuration = Configuration(
            address,
            new Workload { Name = "bad", Metrics = new WorkloadMetrics { Port = port, Path = "/bad", Interval = 1 } },
            new Workload { Name = "good", Metrics = new WorkloadMetrics { Port = port, Path = "/m", Interval = 1 } });
        await RunUntilAsync(configuration, new FakePods(new PodAddress("127.0.0.1", ["web"])), () => Volatile.Read(ref asked) > 1 && Has("__name__=good,edgedeviceid=dev1,metric_source=good"), path == "silent" ? 1 : 15);
        _report.Said.ShouldHaveSingleItem().ShouldContain(said);
        _received.ShouldNotContain(labels => labels.Contains("metric_source=bad", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_data_synchronisation_transferred_arrives_under_the_originals_names()
    {
        var address = await StartAsync(static _ => Task.CompletedTask);
        var configuration = Configuration(address);
        configuration = configuration with { Configuration = configuration.Configuration! with { Metrics = configuration.Configuration.Metrics! with { DataTransfer = new ComponentMetrics { Interval = 1 } } } };
        await RunUntilAsync(
            configuration,
            new FakePods(new PodAddress("127.0.0.1", [])),
            () => new[] { "files", "bytes", "time", "deleted_files" }.All(what => Has($"__name__=flotta_agent_datasync_{what}_transferred_counter,direction=egress,edgedeviceid=dev1,metric_source=data transfer,workload_name=till")));
    }

    [Fact]
    public void What_was_transferred_has_the_originals_names_of_which_all_are_kept_unless_a_list_says_otherwise()
    {
        var values = TransferMetrics.Of("till", "ingress", 3, 4096, TimeSpan.FromSeconds(1.5)).ToDictionary(
            sample => sample.Labels.Labels().Single(label => label.Key == LabelSet.NameLabel).Value,
            sample => sample.Value,
            StringComparer.Ordinal);
        values.ShouldBe(new Dictionary<string, double>(StringComparer.Ordinal)
        {
            ["flotta_agent_datasync_files_transferred_counter"] = 3,
            ["flotta_agent_datasync_bytes_transferred_counter"] = 4096,
            ["flotta_agent_datasync_time_transferred_counter"] = 1.5,
            ["flotta_agent_datasync_deleted_files_transferred_counter"] = 0,
        });
        var byDefault = MetricsSettings.Of(MetricsSettings.Slice(Configuration("http://receiver"))!).DataTransfer!.Allowed;
        values.Keys.ShouldAllBe(name => byDefault.Allows(name));
        byDefault.Allows("flotta_agent_anything_else").ShouldBeFalse();
    }

    [Fact]
    public void Metrics_are_off_where_nobody_receives_them()
    {
        MetricsSettings.Slice(new DeviceConfigurationMessage()).ShouldBeNull();
        MetricsSettings.Slice(new DeviceConfigurationMessage { Configuration = new DeviceConfiguration { Metrics = new MetricsConfiguration { Receiver = new MetricsReceiver { TimeoutSeconds = 10 } } } }).ShouldBeNull();
    }

    [Fact]
    public void No_list_allows_everything_and_an_empty_one_nothing()
    {
        MetricsSettings.Of(new WorkloadMetrics()).Allowed.Allows("anything").ShouldBeTrue();
        MetricsSettings.Of(new WorkloadMetrics { AllowList = new MetricsAllowList([]) }).Allowed.Allows("anything").ShouldBeFalse();
        MetricsSettings.Of(new WorkloadMetrics { AllowList = new MetricsAllowList(null) }).Allowed.Allows("anything").ShouldBeFalse();
    }

    [Fact]
    public void The_machine_is_read_under_the_names_of_node_exporter()
    {
        Write("proc/meminfo", "MemTotal:  2048 kB\nActive(anon): 1 kB\nHugePages_Total: 3\n");
        Write("proc/diskstats", "8 0 sda 10 0 4 7 5 0 2 8 0 9 10 0 0 0 0\n8 1 sda1 10 0 4 0 5 0 2 0 0 0 0\n259 0 nvme0n1 1 0 2 0 1 0 2 0 0 0 0\n259 1 nvme0n1p1 1 0 2 0 1 0 2 0 0 0 0\n");
        Write("proc/net/dev", "Inter-| Receive\n face |bytes\n  eth0: 100 1 0 0 0 0 0 0 200 2 0 0 0 0 0 0\n");
        Write("proc/stat", "cpu 9 9 9 9\ncpu0 100 0 50 1000 0 0 0 0\nbtime 1700000000\n");
        Write("proc/loadavg", "0.25 0.5 1 1/100 1234\n");
        Write("sys/class/net/eth0/address", "02:00:00:00:00:01\n");
        Write("sys/class/net/eth0/operstate", "up\n");
        Write("sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq", "1800000\n");
        var read = new SystemMetrics(new MachineFiles(_folder)).Read(_ => true)
            .ToDictionary(sample => sample.Labels.ToString().Replace("__name__=", "", StringComparison.Ordinal).Replace(",metric_source=system", "", StringComparison.Ordinal), sample => sample.Value, StringComparer.Ordinal);
        read["node_memory_MemTotal_bytes"].ShouldBe(2048 * 1024);
        read["node_memory_Active_anon_bytes"].ShouldBe(1024);
        read["node_memory_HugePages_Total"].ShouldBe(3);
        read["node_disk_read_bytes_total,device=sda"].ShouldBe(4 * 512);
        read["node_disk_written_bytes_total,device=nvme0n1"].ShouldBe(2 * 512);
        read.Keys.ShouldNotContain("node_disk_read_bytes_total,device=sda1");
        read.Keys.ShouldNotContain("node_disk_read_bytes_total,device=nvme0n1p1");
        read["node_network_receive_bytes_total,device=eth0"].ShouldBe(100);
        read["node_network_transmit_bytes_total,device=eth0"].ShouldBe(200);
        read["node_cpu_seconds_total,cpu=0,mode=idle"].ShouldBe(10);
        read["node_boot_time_seconds"].ShouldBe(1_700_000_000);
        read["node_load5"].ShouldBe(0.5);
        read["node_network_info,address=02:00:00:00:00:01,device=eth0,operstate=up"].ShouldBe(1);
        read["node_cpu_scaling_frequency_max_hertz,cpu=0"].ShouldBe(1.8e9);
    }

    private static async Task BadAsync(HttpContext context, string how)
    {
        var aborted = context.RequestAborted;
        switch (how)
        {
            case "bomb":
                context.Response.Headers.ContentEncoding = "gzip";
                var line = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("# nothing to see here\n", 5000)));
                await using (var gzip = new GZipStream(context.Response.Body, CompressionLevel.Fastest))
                {
                    for (var i = 0; i < 1000 && !aborted.IsCancellationRequested; i++)
                        await gzip.WriteAsync(line, aborted);
                }

                break;
            case "endless":
                while (!aborted.IsCancellationRequested)
                    await context.Response.WriteAsync("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", aborted);
                break;
            case "silent":
                await Task.Delay(Timeout.Infinite, aborted).ContinueWith(static _ => { }, TaskScheduler.Default);
                break;
            case "html":
                await context.Response.WriteAsync("<html></html>", aborted);
                break;
            case "missing":
                context.Response.StatusCode = 404;
                break;
            case "away":
                context.Response.Redirect("http://127.0.0.1:1/");
                break;
        }
    }

    private static DeviceConfigurationMessage Configuration(string address, params Workload[] workloads) => new()
    {
        Configuration = new DeviceConfiguration
        {
            Metrics = new MetricsConfiguration
            {
                Receiver = new MetricsReceiver { Url = address + "/write", TimeoutSeconds = 5, RequestNumSamples = 100 },
                System = new ComponentMetrics { Interval = 1 },
            },
        },
        Workloads = workloads,
    };

    private bool Has(string labels) => _received.Contains(labels, StringComparer.Ordinal);

    private async Task RunUntilAsync(DeviceConfigurationMessage configuration, IPodAddresses pods, Func<bool> condition, int deadline = 15)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var sources = new MetricsSources
        {
            Folder = Path.Combine(_folder, "log"),
            DeviceId = "dev1",
            Pods = pods,
            System = new SystemMetrics(new MachineFiles("/")),
            DataTransfer = () => TransferMetrics.Of("till", "egress", 3, 4096, TimeSpan.FromSeconds(1.5)),
            NodeExporter = new Uri("http://127.0.0.1:1/metrics"),
            Limits = new ScrapeLimits { Deadline = TimeSpan.FromSeconds(deadline) },
        };
        var loop = new MetricsLoop(sources, _report, NullLogger<MetricsLoop>.Instance, TimeProvider.System) { SendPause = TimeSpan.FromMilliseconds(50) };
        var running = Task.Run(() => loop.RunAsync(MetricsSettings.Of(MetricsSettings.Slice(configuration)!), stop.Token));
        await Eventually.True(() => running.IsCompleted || condition());
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running);
    }

    private async Task<string> StartAsync(Func<HttpContext, Task> others)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(async context =>
        {
            if (context.Request.Path != "/write")
            {
                await others(context);
                return;
            }

            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            foreach (var series in RemoteWriteReader.Read(RemoteWriteReader.Decompress(body.ToArray())))
                _received.Enqueue(string.Join(',', series.Labels));
        });
        await _server.StartAsync();
        return _server.Urls.Single();
    }

    private void Write(string path, string text)
    {
        var full = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    private sealed class FakePods(PodAddress address) : IPodAddresses
    {
        public Task<PodAddress?> FindAsync(string workload, CancellationToken cancellationToken) => Task.FromResult<PodAddress?>(address);
    }
}
