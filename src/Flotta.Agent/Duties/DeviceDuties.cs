using Flotta.Agent.Alarms;
using Flotta.Agent.DataSync;
using Flotta.Agent.Files;
using Flotta.Agent.Hardware;
using Flotta.Agent.Heartbeats;
using Flotta.Agent.Hooks;
using Flotta.Agent.Logs;
using Flotta.Agent.Metrics;
using Flotta.Agent.OperatingSystem;
using Flotta.Agent.Playbooks;
using Flotta.Agent.Workloads;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Duties;

/// <summary>What duties are made from.</summary>
internal sealed record DutySite(string DeviceId, DataDirectory Folder, EventQueue Events)
{
    public required DataStates Data { get; init; }

    public required IOutbound Outbound { get; init; }

    public required PlaybookReports Playbooks { get; init; }

    /// <summary>Whether the server tells of changes by itself, as ours does.</summary>
    public required Func<bool> Pushes { get; init; }

    public DutyFacts Facts { get; init; } = new();

    public IWorkloads? Workloads { get; init; }
}

/// <summary>Everything that this device does besides its workloads, as far as its configuration asks for it.</summary>
/// <param name="folders">What they keep on disk.</param>
internal sealed class DeviceDuties(IReadOnlyList<IDuty> duties, IReadOnlyList<string> folders)
{
    /// <summary>Names of what duties keep in the data folder; all of it goes when the device is let go.</summary>
    public static IReadOnlyList<string> Folders { get; } = ["metrics", "logs", "data-sync", "playbooks"];

    /// <param name="user">Whose containers they are; null for root's.</param>
    public static DeviceDuties Of(DutySite site, PodmanClient podman, Workloads.Account? user, ILoggerFactory loggers, TimeProvider time)
    {
        var transferred = new TransferCounters();
        return new DeviceDuties(
            [
                Metrics(site, new HeartbeatReport(site.Events), podman, transferred, loggers, time),
                Logs(site, new HeartbeatReport(site.Events), podman, loggers, time),
                Data(site, WorkloadFolders.In(site.Folder.Path, user), new HeartbeatReport(site.Events), transferred, loggers, time),
                new PlaybookLoop(
                    new PlaybookSite(site.Folder["playbooks"], site.Outbound, site.Playbooks, site.Pushes),
                    new PlaybookRun(time),
                    new HeartbeatReport(site.Events),
                    loggers.CreateLogger<PlaybookLoop>(),
                    time),
                OperatingSystem(site, new HeartbeatReport(site.Events), HostTools.OfThisMachine, loggers, time),
                Alarms(site, new HeartbeatReport(site.Events), loggers, time),
            ],
            [.. Folders.Select(name => site.Folder[name])]);
    }

    public void Apply(DeviceConfigurationMessage configuration)
    {
        foreach (var duty in duties)
            duty.Apply(configuration);
    }

    public Task StopAsync() => Task.WhenAll(duties.Select(duty => duty.StopAsync()));

    /// <summary>The device was let go: what was not sent never will be.</summary>
    public async Task RemoveAsync()
    {
        await StopAsync();
        foreach (var folder in folders.Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);
    }

    private static Duty Data(DutySite site, WorkloadFolders folders, HeartbeatReport report, TransferCounters transferred, ILoggerFactory loggers, TimeProvider time)
    {
        var logger = loggers.CreateLogger<SyncLoop>();
        var places = new SyncPlaces(folders.Exports, site.Folder["data-sync"]);
        return new Duty(
            "data synchronisation",
            configuration => SyncSettings.Slice(configuration, places.Remembered().Count > 0),
            (slice, stop) => new SyncLoop(places, report, site.Data, transferred, logger, time).RunAsync(slice, stop),
            logger,
            time);
    }

    internal static Duty OperatingSystem(DutySite site, IDutyReport report, HostTools tools, ILoggerFactory loggers, TimeProvider time, string hooks = HookScripts.Folder)
    {
        var logger = loggers.CreateLogger<OperatingSystemLoop>();
        var record = site.Folder["os-upgrade.json"];
        var scripts = new HookScripts(hooks, tools.Before, loggers.CreateLogger<HookScripts>());
        return new Duty(
            "the operating system",
            configuration => OperatingSystemLoop.Slice(configuration, record),
            (slice, stop) => new OperatingSystemLoop(
                new UpgradeSurroundings
                {
                    RecordFile = record,
                    Tools = tools,
                    Facts = site.Facts,
                    Tell = (reason, message, bad) =>
                    {
                        if (bad)
                            report.Warn(reason, message);
                        else
                            report.Info(reason, message);
                    },
                    HaltWorkloads = site.Workloads is { } workloads ? workloads.HaltAsync : static _ => Task.CompletedTask,
                    ResumeWorkloads = site.Workloads is { } halted ? halted.Resume : static () => { },
                    Hook = scripts.RunAsync,
                },
                logger,
                time).RunAsync(slice, stop),
            logger,
            time);
    }

    private static Duty Alarms(DutySite site, IDutyReport report, ILoggerFactory loggers, TimeProvider time) => new(
        "alarms", AlarmLoop.Slice, (slice, stop) => new AlarmLoop(site.Facts, report, new Gauges("/"), time).RunAsync(slice, stop), loggers.CreateLogger<AlarmLoop>(), time);

    private static Duty Logs(DutySite site, HeartbeatReport report, PodmanClient podman, ILoggerFactory loggers, TimeProvider time)
    {
        var logger = loggers.CreateLogger<LogsLoop>();
        return new Duty(
            "logs",
            LogsLoop.Slice,
            (slice, stop) =>
            {
                Directory.CreateDirectory(site.Folder["logs"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                return new LogsLoop(podman, site.DeviceId, Path.Combine(site.Folder["logs"], "positions"), report, logger, time) { Facts = site.Facts }.RunAsync(slice, stop);
            },
            logger,
            time,
            () => site.Facts.DeliversOnlyTo(DeliveryKinds.Logs, []));
    }

    private static Duty Metrics(DutySite site, HeartbeatReport report, PodmanClient podman, TransferCounters transferred, ILoggerFactory loggers, TimeProvider time)
    {
        var logger = loggers.CreateLogger<MetricsLoop>();
        return new Duty(
            "metrics",
            MetricsSettings.Slice,
            (slice, stop) => new MetricsLoop(
                new MetricsSources
                {
                    Folder = site.Folder["metrics"],
                    DeviceId = site.DeviceId,
                    Pods = new PodmanAddresses(podman, site.DeviceId),
                    System = new SystemMetrics(new MachineFiles("/")),
                    DataTransfer = () => [.. transferred.All.SelectMany(one => TransferMetrics.Of(one.Workload, one.Direction, one.Files, one.Bytes, one.Time))],
                },
                report,
                logger,
                time) { Facts = site.Facts }.RunAsync(MetricsSettings.Of(slice), stop),
            logger,
            time,
            () => site.Facts.DeliversOnlyTo(DeliveryKinds.Metrics, []));
    }
}
