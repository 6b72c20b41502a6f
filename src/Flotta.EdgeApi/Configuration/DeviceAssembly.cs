using System.Text;
using Flotta.Resources;

namespace Flotta.EdgeApi.Configuration;

/// <summary>What concerns the device itself. Each section comes whole from the device's set where the set has it, else from the device.</summary>
internal static class DeviceAssembly
{
    private const long DefaultPeriod = 60;
    private const long DefaultSamples = 30000;
    private const long DefaultTimeout = 10;

    public static HeartbeatSettings? HeartbeatOf(EdgeDevice device, EdgeDeviceSet? set) => set?.Spec.Heartbeat ?? device.Spec.Heartbeat;

    public static TimeSpan PeriodOf(EdgeDevice device, EdgeDeviceSet? set) =>
        TimeSpan.FromSeconds(Math.Clamp(HeartbeatOf(device, set)?.PeriodSeconds ?? DefaultPeriod, 1, 7 * 24 * 3600));

    public static Wire.DeviceConfiguration Of(Ingredients from, List<string> problems)
    {
        var (device, set) = (from.Device.Spec, from.Set?.Spec);
        return new Wire.DeviceConfiguration
        {
            AnsibleManager = from.Playbooks.Count == 0 ? null : new Wire.AnsibleManagerConfiguration(DefaultPeriod, from.Playbooks),
            Heartbeat = Heartbeat(HeartbeatOf(from.Device, from.Set)),
            LogCollection = Logs(set?.LogCollection ?? device.LogCollection, from, problems),
            Metrics = Metrics(set?.Metrics ?? device.Metrics, from, problems),
            Monitors = Monitors(set?.Monitors ?? device.Monitors),
            Mounts = [.. (set?.Mounts ?? device.Mounts ?? []).Select(mount => new Wire.Mount { Device = mount.Device, Directory = mount.Folder, Type = mount.Type, Options = mount.Options })],
            Os = Os(set?.OsInformation ?? device.OsInformation),
            Storage = StorageAssembly.Of(set?.Storage ?? device.Storage, from),
        };
    }

    private static Wire.HeartbeatConfiguration Heartbeat(HeartbeatSettings? heartbeat) => new()
    {
        PeriodSeconds = heartbeat == null ? DefaultPeriod : heartbeat.PeriodSeconds,
        HardwareProfile = new Wire.HardwareProfile
        {
            Include = heartbeat?.HardwareProfile?.Include is true ? true : null,
            Scope = Text(heartbeat?.HardwareProfile?.Scope),
        },
    };

    private static List<Wire.ResourceMonitor>? Monitors(IReadOnlyList<ResourceMonitor>? monitors) => monitors is not { Count: > 0 } ? null :
    [
        .. monitors.Select(monitor => new Wire.ResourceMonitor
        {
            Name = monitor.Name,
            Resource = monitor.Resource,
            Path = Text(monitor.Path),
            Threshold = monitor.Threshold,
            ResetBelow = monitor.ResetBelow,
            DurationSeconds = monitor.DurationSeconds,
        }),
    ];

    private static Wire.OsConfiguration? Os(OsInformation? os) => os == null ? null : new Wire.OsConfiguration
    {
        AutomaticallyUpgrade = os.AutomaticallyUpgrade is true ? true : null,
        CommitId = Text(os.CommitId),
        HostedObjectsUrl = Text(os.HostedObjectsUrl),
    };

    private static Wire.MetricsConfiguration Metrics(MetricsSettings? metrics, Ingredients from, List<string> problems) => new()
    {
        Receiver = Receiver(metrics?.ReceiverConfiguration, from, problems),
        Retention = metrics?.Retention is not { } retention ? null : new Wire.MetricsRetention(Positive(retention.MaxHours), Positive(retention.MaxMiB)),
        System = Component(metrics?.System, from, problems),
        DataTransfer = Component(metrics?.DataTransfer, from, problems),
    };

    private static Wire.MetricsReceiver Receiver(MetricsReceiver? receiver, Ingredients from, List<string> problems) => new()
    {
        RequestNumSamples = receiver?.RequestNumSamples is > 0 ? receiver.RequestNumSamples : DefaultSamples,
        TimeoutSeconds = receiver?.TimeoutSeconds is > 0 ? receiver.TimeoutSeconds : DefaultTimeout,
        Url = Text(receiver?.Url),
        CaCert = Try(() => ReceiverCa(receiver, from), problems),
    };

    private static string? ReceiverCa(MetricsReceiver? receiver, Ingredients from)
    {
        if (receiver is not { CaSecretName: { Length: > 0 } name } || receiver.Url?.StartsWith("https", StringComparison.Ordinal) != true)
            return null;
        var secret = from.Secret(name) ?? throw new MissingException($"secret {name} with the metrics receiver's CA does not exist");
        return secret.Data?.TryGetValue("ca.crt", out var ca) == true && ca.Length > 0
            ? Encoding.UTF8.GetString(ca)
            : throw new MissingException($"secret {name} with the metrics receiver's CA has no key ca.crt");
    }

    private static Wire.ComponentMetrics? Component(MetricsCollection? collection, Ingredients from, List<string> problems) => collection == null ? null : new Wire.ComponentMetrics
    {
        Interval = Positive(collection.Interval),
        Disabled = collection.Disabled is true ? true : null,
        AllowList = Try(() => AllowList.Of(collection.AllowList, from), problems),
    };

    private static SortedDictionary<string, Wire.LogCollection>? Logs(IReadOnlyDictionary<string, LogTarget>? targets, Ingredients from, List<string> problems)
    {
        if (targets is not { Count: > 0 })
            return null;
        var logs = new SortedDictionary<string, Wire.LogCollection>(StringComparer.Ordinal);
        foreach (var (name, target) in targets)
        {
            if (target != null && Try(() => Log(name, target, from), problems) is { } log)
                logs[name] = log;
        }

        return logs;
    }

    private static Wire.LogCollection Log(string name, LogTarget target, Ingredients from) => new()
    {
        Kind = Text(target.Kind),
        BufferSize = Positive(target.BufferSize),
        SyslogConfig = target.SyslogConfig is { Name.Length: > 0 } syslog ? Syslog(name, syslog.Name, from) : null,
    };

    private static Wire.SyslogConfiguration Syslog(string target, string mapName, Ingredients from)
    {
        var map = from.ConfigMap(mapName) ?? throw new MissingException($"ConfigMap {mapName} of log target {target} does not exist");
        var protocol = map.Data?.TryGetValue("Protocol", out var given) == true && !string.IsNullOrEmpty(given) ? given : "tcp";
        if (protocol is not ("tcp" or "udp" or "rfc5424+tcp" or "rfc5424+udp" or "tls"))
            throw new MissingException($"the key Protocol of ConfigMap {mapName} should be tcp, udp, rfc5424+tcp, rfc5424+udp or tls");
        return new Wire.SyslogConfiguration(
            map.Data?.TryGetValue("Address", out var address) == true ? Text(address) : null,
            protocol,
            protocol == "tls" && map.Data?.TryGetValue("ca.crt", out var ca) == true ? Text(ca) : null);
    }

    private static T? Try<T>(Func<T?> make, List<string> problems)
        where T : class
    {
        try
        {
            return make();
        }
        catch (MissingException missing)
        {
            problems.Add(missing.Message);
            return null;
        }
    }

    private static string? Text(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static int? Positive(int? number) => number is > 0 ? number : null;
}
