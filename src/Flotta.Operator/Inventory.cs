using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator;

/// <summary>What the Operator knows of the cluster: live copies of the kinds that it looks at, and the way to write.</summary>
internal sealed class Inventory(KubeApi api, OperatorOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private const string Namespace = "namespace";
    private const string Workload = "workload";
    private const string Replica = "replica";

    public KubeApi Api { get; } = api;

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

    public ObjectCache<V1Namespace> Namespaces { get; } = new(api, new(), loggers, time);

    public ObjectCache<V1Lease> Leases { get; } = new(api, new() { Namespace = options.OperatorNamespace }, loggers, time);

    public IReadOnlyList<EdgeDevice> DevicesIn(string @namespace) => Devices.ByIndex(Namespace, @namespace);

    public IReadOnlyList<EdgeWorkload> WorkloadsIn(string @namespace) => Workloads.ByIndex(Namespace, @namespace);

    public IReadOnlyList<EdgeDevice> DevicesOf(string replica) => Devices.ByIndex(Replica, replica);

    /// <summary>The devices that still say that they have the workload, in their status or by their label.</summary>
    public IReadOnlyList<EdgeDevice> DevicesWith(ObjectKey workload) =>
        Devices.ByIndex(Workload, $"{workload.Namespace}/{Names.Labels.Workload(workload.Name)}");

    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(
        Requests.RunAsync(cancellationToken),
        Devices.RunAsync(cancellationToken),
        Workloads.RunAsync(cancellationToken),
        Namespaces.RunAsync(cancellationToken),
        Leases.RunAsync(cancellationToken));

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => Task.WhenAll(
        Requests.WaitForSyncAsync(cancellationToken),
        Devices.WaitForSyncAsync(cancellationToken),
        Workloads.WaitForSyncAsync(cancellationToken),
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
