using Flotta.Resources;
using k8s.Models;

namespace Flotta.EdgeApi.Statuses;

/// <summary>Changed copies of devices. The cached object itself belongs to everybody and is never touched.</summary>
internal static class DeviceRecord
{
    public static EdgeDeviceStatus StatusOf(this EdgeDevice device) => device.Status ?? new EdgeDeviceStatus();

    public static EdgeDevice WithLabels(this EdgeDevice device, IEnumerable<KeyValuePair<string, string?>> changes)
    {
        var before = device.Metadata;
        var labels = new Dictionary<string, string>(before.Labels ?? new Dictionary<string, string>(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var (key, value) in changes)
        {
            if (value == null)
                labels.Remove(key);
            else
                labels[key] = value;
        }

        var after = new V1ObjectMeta
        {
            Annotations = before.Annotations,
            CreationTimestamp = before.CreationTimestamp,
            DeletionTimestamp = before.DeletionTimestamp,
            Finalizers = before.Finalizers,
            Generation = before.Generation,
            Labels = labels,
            Name = before.Name,
            NamespaceProperty = before.NamespaceProperty,
            OwnerReferences = before.OwnerReferences,
            ResourceVersion = before.ResourceVersion,
            Uid = before.Uid,
        };
        return device with { Metadata = after };
    }

    public static bool HasLabel(this EdgeDevice device, string key, string value) =>
        device.Metadata.Labels?.TryGetValue(key, out var present) == true && string.Equals(present, value, StringComparison.Ordinal);

    /// <summary>Approved, but has never registered.</summary>
    public static bool AwaitsRegistration(this EdgeDevice device) => device.HasLabel(Names.Labels.SignedRequest, Names.Labels.True);

    public static bool IsRevoked(this EdgeDevice device) =>
        device.Metadata.Annotations?.TryGetValue(Names.Annotations.Revoked, out var revoked) == true && string.Equals(revoked, "true", StringComparison.OrdinalIgnoreCase);

    public static bool IsLeaving(this EdgeDevice device) => device.Metadata.DeletionTimestamp != null;

    /// <summary>
    /// On an EdgeDeviceSignedRequest: the serial of the certificate that expired too long ago, so that the device has to be approved again. Approval counts for that certificate only.
    /// </summary>
    public const string ApproveAgainAfter = "flotta/approve-again-after";

    /// <summary>Registered, but away for so long that its certificate does not even renew itself any more.</summary>
    public static bool IsLost(this EdgeDevice device, TimeSpan grace, DateTimeOffset now) =>
        !device.AwaitsRegistration() && device.Status?.Certificate is { Serial.Length: > 0, NotAfter: { } notAfter } && now > notAfter + grace;

    /// <summary>Whether an approval was asked for anew since the device got lost.</summary>
    public static bool IsAskedAnew(this EdgeDeviceSignedRequest request, EdgeDevice device) =>
        request.Metadata.Annotations?.TryGetValue(ApproveAgainAfter, out var serial) == true && string.Equals(serial, device.Status?.Certificate?.Serial, StringComparison.OrdinalIgnoreCase);
}
