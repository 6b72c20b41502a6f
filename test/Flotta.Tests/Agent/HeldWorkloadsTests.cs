using Flotta.Agent;
using Flotta.Agent.DataSync;
using Flotta.Agent.Desired;
using Flotta.Agent.Firewall;
using Flotta.Agent.Logs;
using Flotta.Agent.Metrics;
using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.Tests.Agent;

public sealed class HeldWorkloadsTests
{
    private static readonly Workload Till = new()
    {
        Name = "till",
        Specification = """
            containers:
            - name: main
              image: localhost/till
              ports: [{containerPort: 80, hostPort: 8080}]
              env: [{name: PIN, valueFrom: {secretKeyRef: {name: vault, key: pin}}}]
            """,
        Configmaps = ["text"],
        Data = new DataConfiguration { Egress = [new DataPath("out", "backup")] },
        ImageRegistries = new ImageRegistries("credentials"),
        LogCollection = "central",
        Metrics = new WorkloadMetrics { Port = 9000 },
    };

    private static readonly DeviceConfigurationMessage Before = Configuration(Till);
    private static readonly DeviceConfigurationMessage Held = Configuration(new Workload { Name = "till", Hold = "Secret vault is missing" });

    [Fact]
    public void A_workload_that_is_held_keeps_its_data_logs_metrics_and_open_ports()
    {
        var kept = HeldWorkloads.Keep(Held, Before);
        Text(SyncSettings.Slice(kept, leftovers: false)).ShouldBe(Text(SyncSettings.Slice(Before, leftovers: false)));
        Text(LogsLoop.Slice(kept)).ShouldBe(Text(LogsLoop.Slice(Before)));
        Text(MetricsSettings.Slice(kept)).ShouldBe(Text(MetricsSettings.Slice(Before)));
        PublishedPorts.Of(DesiredWorkloads.Of(kept), "till-07", "/data").ShouldBe([new OpenPort("till", 8080, Udp: false)]);
        DesiredPod.From(DesiredWorkloads.Of(kept), "till-07", new WorkloadFolders("/data")).ShouldBe([new DesiredPod("till", null, Reasons.Held, "Secret vault is missing")]);
    }

    [Fact]
    public void Neither_ConfigMaps_nor_the_credentials_of_registries_are_kept()
    {
        var kept = HeldWorkloads.Keep(Held, Before).Workloads.ShouldHaveSingleItem();
        (kept.Configmaps, kept.ImageRegistries).ShouldBe((null, null));
    }

    [Fact]
    public void It_is_kept_for_as_long_as_the_workload_is_held_and_no_longer()
    {
        var again = HeldWorkloads.Keep(Held, HeldWorkloads.Keep(Held, Before));
        again.Workloads.ShouldHaveSingleItem().LogCollection.ShouldBe("central");
        var quiet = Configuration(Till with { LogCollection = null });
        HeldWorkloads.Keep(quiet, again).ShouldBeSameAs(quiet);
        HeldWorkloads.Keep(Held, Configuration()).ShouldBeSameAs(Held);
        HeldWorkloads.Keep(Held, null).ShouldBeSameAs(Held);
    }

    private static string Text(DeviceConfigurationMessage? slice) => System.Text.Encoding.UTF8.GetString(WireJson.Write(slice.ShouldNotBeNull(), WireJson.Types.DeviceConfigurationMessage));

    private static DeviceConfigurationMessage Configuration(params Workload[] workloads) => new()
    {
        Configuration = new DeviceConfiguration
        {
            LogCollection = new Dictionary<string, LogCollection>(StringComparer.Ordinal) { ["central"] = new() },
            Metrics = new MetricsConfiguration { Receiver = new MetricsReceiver { Url = "https://metrics.example" } },
            Storage = new StorageConfiguration(new S3Storage()),
        },
        Workloads = workloads,
    };
}
