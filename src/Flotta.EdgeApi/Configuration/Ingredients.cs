using Flotta.EdgeApi.Fleet;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.EdgeApi.Configuration;

/// <summary>Everything that one device's configuration is made of, at one time. Attachments that do not exist are simply not there.</summary>
internal sealed record Ingredients(
    EdgeDevice Device,
    EdgeDeviceSet? Set,
    IReadOnlyList<EdgeWorkload> Workloads,
    IReadOnlyDictionary<Attachment, V1Secret> Secrets,
    IReadOnlyDictionary<Attachment, V1ConfigMap> ConfigMaps)
{
    /// <summary>Of a device with a bucket of its own, on OpenShift: where its buckets are reached from outside, and whose signature that has.</summary>
    public BucketRoute? Route { get; init; }

    /// <summary>Of the playbooks that the device should ask for, each's UID.</summary>
    public IReadOnlyList<string> Playbooks { get; init; } = [];

    private string Home => Device.Metadata.NamespaceProperty;

    public V1Secret? Secret(string name) => Secrets.GetValueOrDefault(new Attachment(AttachmentKind.Secret, Home, name));

    public V1ConfigMap? ConfigMap(string name) => ConfigMaps.GetValueOrDefault(new Attachment(AttachmentKind.ConfigMap, Home, name));

    /// <summary>What must be fetched before the assembly.</summary>
    public static IReadOnlySet<Attachment> Needed(EdgeDevice device, EdgeDeviceSet? set, IEnumerable<EdgeWorkload> workloads) =>
        References.Of(device).Concat(set == null ? [] : References.Of(set)).Concat(workloads.SelectMany(References.Of)).ToHashSet();
}

internal sealed record BucketRoute(string Host, byte[]? Ca);

/// <summary>Something that cannot be had as it is written. The text is for people, and holds no content of anything.</summary>
internal sealed class MissingException(string message) : Exception(message);
