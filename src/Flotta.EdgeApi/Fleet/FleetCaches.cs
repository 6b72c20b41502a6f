using Flotta.EdgeApi.Hardware;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.Fleet;

/// <summary>Everything that we read of the Kubernetes API, live and in memory.</summary>
internal sealed class FleetCaches
{
    private const string BySet = "set";
    private const string ByNamespace = "namespace";
    private const string ByUse = "use";
    private const string ByDevice = "device";
    private const string BySelector = "selector";

    private readonly CancellationTokenSource stop = new();
    private Task running = Task.CompletedTask;

    public FleetCaches(KubeApi api, ILoggerFactory loggers, TimeProvider time)
    {
        Devices = new(api, new() { Transform = HardwareFacts.Fold, Indexes = Indexes<EdgeDevice>((ByNamespace, HomeOf), (BySet, SetOf), (ByUse, device => Uses(References.Of(device)))) }, loggers, time);
        Sets = new(api, new() { Indexes = Indexes<EdgeDeviceSet>((ByUse, set => Uses(References.Of(set)))) }, loggers, time);
        Workloads = new(
            api,
            new() { Indexes = Indexes<EdgeWorkload>((ByDevice, DeviceOf), (BySelector, SelectorHomeOf), (ByUse, workload => Uses(References.Of(workload)))) },
            loggers,
            time);
        Requests = new(api, new() { Transform = request => request with { Spec = request.Spec with { Features = null }, Status = null } }, loggers, time);
        Playbooks = new(api, new() { Indexes = Indexes<PlaybookExecution>((ByDevice, OwnerOf)) }, loggers, time);
        Routes = new(api, time);
        Secrets = new(api, WithoutContent, key => AttachmentChanged?.Invoke(new(AttachmentKind.Secret, key.Namespace, key.Name)), loggers, time);
        ConfigMaps = new(api, WithoutContent, key => AttachmentChanged?.Invoke(new(AttachmentKind.ConfigMap, key.Namespace, key.Name)), loggers, time);
    }

    public ObjectCache<EdgeDevice> Devices { get; }

    public ObjectCache<EdgeDeviceSet> Sets { get; }

    public ObjectCache<EdgeWorkload> Workloads { get; }

    public ObjectCache<EdgeDeviceSignedRequest> Requests { get; }

    public ObjectCache<PlaybookExecution> Playbooks { get; }

    public RouteLookup Routes { get; }

    public AttachmentStore<V1Secret> Secrets { get; }

    public AttachmentStore<V1ConfigMap> ConfigMaps { get; }

    public event Action<Attachment>? AttachmentChanged;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        running = Task.WhenAll(
            Devices.RunAsync(stop.Token), Sets.RunAsync(stop.Token), Workloads.RunAsync(stop.Token), Requests.RunAsync(stop.Token), Playbooks.RunAsync(stop.Token));
        await Task.WhenAll(
            Devices.WaitForSyncAsync(cancellationToken),
            Sets.WaitForSyncAsync(cancellationToken),
            Workloads.WaitForSyncAsync(cancellationToken),
            Requests.WaitForSyncAsync(cancellationToken),
            Playbooks.WaitForSyncAsync(cancellationToken));
    }

    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await running;
        await Secrets.StopAsync();
        await ConfigMaps.StopAsync();
        stop.Dispose();
    }

    /// <summary>The set that a device is a member of; null where it is in none, or in one that does not exist.</summary>
    public EdgeDeviceSet? SetFor(EdgeDevice device) =>
        device.Metadata.Labels?.TryGetValue(Names.Labels.MemberOf, out var set) == true ? Sets.Get(device.Metadata.NamespaceProperty, set) : null;

    /// <summary>The workloads that a device runs, by name.</summary>
    public IReadOnlyList<EdgeWorkload> WorkloadsFor(EdgeDevice device)
    {
        var home = device.Metadata.NamespaceProperty;
        return
        [
            .. Workloads.ByIndex(ByDevice, new ObjectKey(home, device.Metadata.Name).ToString())
                .Concat(Workloads.ByIndex(BySelector, home))
                .Where(workload => Placement.Concerns(workload, device))
                .OrderBy(workload => workload.Metadata.Name, StringComparer.Ordinal),
        ];
    }

    /// <summary>The executions that the Operator made for a device.</summary>
    public IReadOnlyList<PlaybookExecution> PlaybooksOf(EdgeDevice device) =>
        Playbooks.ByIndex(ByDevice, new ObjectKey(device.Metadata.NamespaceProperty, LabelValue.Fit(device.Metadata.Name)).ToString());

    public IEnumerable<EdgeDevice> DevicesOf(string @namespace) => Devices.ByIndex(ByNamespace, @namespace);

    public IEnumerable<EdgeDevice> MembersOf(ObjectKey set) => Devices.ByIndex(BySet, set.ToString());

    public IEnumerable<EdgeWorkload> WorkloadsUsing(Attachment attachment) => Workloads.ByIndex(ByUse, attachment.ToString());

    public IEnumerable<EdgeDevice> DevicesUsing(Attachment attachment) =>
        Devices.ByIndex(ByUse, attachment.ToString()).Concat(Sets.ByIndex(ByUse, attachment.ToString()).SelectMany(set => MembersOf(ObjectKey.Of(set))));

    private static Dictionary<string, Func<T, IEnumerable<string>>> Indexes<T>(params (string Name, Func<T, IEnumerable<string>> Values)[] indexes) =>
        indexes.ToDictionary(index => index.Name, index => index.Values, StringComparer.Ordinal);

    private static IEnumerable<string> HomeOf(EdgeDevice device) => [device.Metadata.NamespaceProperty];

    private static IEnumerable<string> SetOf(EdgeDevice device) =>
        device.Metadata.Labels?.TryGetValue(Names.Labels.MemberOf, out var set) == true ? [new ObjectKey(device.Metadata.NamespaceProperty, set).ToString()] : [];

    private static IEnumerable<string> DeviceOf(EdgeWorkload workload) =>
        string.IsNullOrEmpty(workload.Spec.Device) ? [] : [new ObjectKey(workload.Metadata.NamespaceProperty, workload.Spec.Device).ToString()];

    private static IEnumerable<string> OwnerOf(PlaybookExecution playbook) =>
        playbook.Metadata.Labels?.TryGetValue(Names.Labels.Device, out var device) == true && playbook.Metadata.Labels.ContainsKey(Names.Labels.Config)
            ? [new ObjectKey(playbook.Metadata.NamespaceProperty, device).ToString()]
            : [];

    private static IEnumerable<string> SelectorHomeOf(EdgeWorkload workload) =>
        string.IsNullOrEmpty(workload.Spec.Device) && workload.Spec.DeviceSelector != null ? [workload.Metadata.NamespaceProperty] : [];

    private static IEnumerable<string> Uses(IEnumerable<Attachment> attachments) => attachments.Select(attachment => attachment.ToString()).Distinct(StringComparer.Ordinal);

    private static V1Secret WithoutContent(V1Secret secret) => new() { Metadata = NameOnly(secret.Metadata) };

    private static V1ConfigMap WithoutContent(V1ConfigMap map) => new() { Metadata = NameOnly(map.Metadata) };

    private static V1ObjectMeta NameOnly(V1ObjectMeta metadata) => new()
    {
        Name = metadata.Name,
        NamespaceProperty = metadata.NamespaceProperty,
        Uid = metadata.Uid,
        ResourceVersion = metadata.ResourceVersion,
    };
}
