using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator;

/// <summary>What the Operator knows of the cluster: live copies of the kinds that it looks at, and the way to write.</summary>
internal sealed class Inventory(KubeApi api, LeaseHolder? election, OperatorOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private const string Namespace = "namespace";
    private const string Workload = "workload";
    private const string Replica = "replica";
    private const string Set = "set";
    private const string Config = "config";
    private const string Device = "device";

    /// <summary>Writes only while this replica leads.</summary>
    public KubeApi Api { get; } = election is { } lease ? api.Fenced(() => lease.Left) : api;

    public ObjectCache<EdgeDeviceSignedRequest> Requests { get; } = new(
        api,
        new() { Namespace = Names.EnrolmentNamespace },
        loggers,
        time);

    public ObjectCache<EdgeDevice> Devices { get; } = new(
        api,
        new()
        {
            Indexes = new Dictionary<string, Func<EdgeDevice, IEnumerable<string>>>(StringComparer.Ordinal)
            {
                [Namespace] = device => [device.Metadata.NamespaceProperty],
                [Workload] = device => WorkloadsOf(device).Select(label => $"{device.Metadata.NamespaceProperty}/{label}"),
                [Set] = device => device.Metadata.Labels?.TryGetValue(Names.Labels.MemberOf, out var set) == true ? [$"{device.Metadata.NamespaceProperty}/{set}"] : [],
                [Config] = device => ConfigsOf(device).Select(config => $"{device.Metadata.NamespaceProperty}/{config}"),
                [Replica] = device => device.Status?.ConnectedTo is { Length: > 0 } replica ? [replica] : [],
            },
            Transform = Trim,
        },
        loggers,
        time);

    public ObjectCache<EdgeWorkload> Workloads { get; } = new(
        api,
        new()
        {
            Indexes = new Dictionary<string, Func<EdgeWorkload, IEnumerable<string>>>(StringComparer.Ordinal)
            {
                [Namespace] = workload => [workload.Metadata.NamespaceProperty],
            },
        },
        loggers,
        time);

    public ObjectCache<EdgeDeviceSet> Sets { get; } = new(api, new(), loggers, time);

    public ObjectCache<EdgeConfig> Configs { get; } = new(api, new(), loggers, time);

    /// <summary>Those that the Operator made; they carry the labels that tell for which device and of which config.</summary>
    public ObjectCache<PlaybookExecution> Playbooks { get; } = new(
        api,
        new()
        {
            LabelSelector = $"{Names.Labels.Device},{Names.Labels.Config}",
            Indexes = new Dictionary<string, Func<PlaybookExecution, IEnumerable<string>>>(StringComparer.Ordinal)
            {
                [Device] = playbook => [$"{playbook.Metadata.NamespaceProperty}/{playbook.Metadata.Labels?[Names.Labels.Device]}"],
                [Config] = playbook => [$"{playbook.Metadata.NamespaceProperty}/{playbook.Metadata.Labels?[Names.Labels.Config]}"],
            },
        },
        loggers,
        time);

    public ObjectCache<V1Namespace> Namespaces { get; } = new(api, new(), loggers, time);

    public ObjectCache<V1Lease> Leases { get; } = new(api, new() { Namespace = options.OperatorNamespace }, loggers, time);

    /// <summary>What all loops have in common: each asks before every round whether this replica still leads.</summary>
    public ReconcileLoopOptions Work(int workers) => new()
    {
        Workers = workers,
        MayWork = election is { } lease ? () => lease.Left > TimeSpan.Zero : null,
        Observe = OperatorMetrics.Observe,
    };

    public IReadOnlyList<EdgeDevice> DevicesIn(string @namespace) => Devices.ByIndex(Namespace, @namespace);

    public IReadOnlyList<EdgeWorkload> WorkloadsIn(string @namespace) => Workloads.ByIndex(Namespace, @namespace);

    public IReadOnlyList<EdgeDevice> DevicesOf(string replica) => Devices.ByIndex(Replica, replica);

    public IReadOnlyList<EdgeDevice> MembersOf(ObjectKey set) => Devices.ByIndex(Set, set.ToString());

    public IReadOnlyList<EdgeDevice> DevicesWithConfig(ObjectKey config) => Devices.ByIndex(Config, config.ToString());

    public IReadOnlyList<PlaybookExecution> PlaybooksFor(ObjectKey device) => Playbooks.ByIndex(Device, $"{device.Namespace}/{LabelValue.Fit(device.Name)}");

    public IReadOnlyList<PlaybookExecution> PlaybooksOf(ObjectKey config) => Playbooks.ByIndex(Config, $"{config.Namespace}/{LabelValue.Fit(config.Name)}");

    /// <summary>The configs that a device's labels name.</summary>
    public static IEnumerable<string> ConfigsOf(EdgeDevice device) => (device.Metadata.Labels ?? new Dictionary<string, string>(StringComparer.Ordinal))
        .Where(label => label.Key.StartsWith(Names.Labels.ConfigPrefix, StringComparison.Ordinal) && label.Value.Length > 0)
        .Select(label => label.Value)
        .Distinct(StringComparer.Ordinal);

    /// <summary>The devices that still say that they have the workload, in their status or by their label.</summary>
    public IReadOnlyList<EdgeDevice> DevicesWith(ObjectKey workload) =>
        Devices.ByIndex(Workload, $"{workload.Namespace}/{Names.Labels.Workload(workload.Name)}");

    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(
        Requests.RunAsync(cancellationToken),
        Devices.RunAsync(cancellationToken),
        Workloads.RunAsync(cancellationToken),
        Sets.RunAsync(cancellationToken),
        Configs.RunAsync(cancellationToken),
        Playbooks.RunAsync(cancellationToken),
        Namespaces.RunAsync(cancellationToken),
        Leases.RunAsync(cancellationToken));

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => Task.WhenAll(
        Requests.WaitForSyncAsync(cancellationToken),
        Devices.WaitForSyncAsync(cancellationToken),
        Workloads.WaitForSyncAsync(cancellationToken),
        Sets.WaitForSyncAsync(cancellationToken),
        Configs.WaitForSyncAsync(cancellationToken),
        Playbooks.WaitForSyncAsync(cancellationToken),
        Namespaces.WaitForSyncAsync(cancellationToken),
        Leases.WaitForSyncAsync(cancellationToken));

    /// <summary>By their labels' keys, so that a status entry and a label of one workload meet also where its name is too long for a label.</summary>
    internal static IEnumerable<string> WorkloadsOf(EdgeDevice device)
    {
        var listed = (device.Status?.Workloads ?? []).Select(entry => Names.Labels.Workload(entry.Name));
        var labelled = (device.Metadata.Labels?.Keys ?? []).Where(key => key.StartsWith(Names.Labels.WorkloadPrefix, StringComparison.Ordinal));
        return listed.Concat(labelled).Distinct(StringComparer.Ordinal);
    }

    // Most of a device's bytes are facts that the Operator never reads.
    private static EdgeDevice Trim(EdgeDevice device)
    {
        device.Metadata.Annotations = null;
        return device.Status is { } status ? device with { Status = status with { Hardware = null, UpgradeInformation = null } } : device;
    }
}
