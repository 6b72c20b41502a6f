using Flotta.Resources;
using k8s.Models;

namespace Flotta.Operator.Storage;

/// <summary>Which devices get a bucket of their own. Pure.</summary>
internal static class BucketRule
{
    public static bool Wants(EdgeDevice device, EdgeDeviceSet? set, bool always)
    {
        if (device.Metadata.DeletionTimestamp is not null || !string.IsNullOrEmpty(device.Status?.DataObc)) return false;
        // As every section: the set's where it has one.
        var s3 = (set?.Spec.Storage ?? device.Spec.Storage)?.S3;
        return always || (s3?.CreateObc == true && string.IsNullOrEmpty(s3.SecretName) && string.IsNullOrEmpty(s3.ConfigMapName));
    }

    public static ObjectBucketClaim Claim(EdgeDevice device, string storageClass) => new()
    {
        Metadata = new()
        {
            Name = device.Metadata.Name,
            NamespaceProperty = device.Metadata.NamespaceProperty,
            OwnerReferences = [new V1OwnerReference { ApiVersion = Names.ApiVersion, Kind = EdgeDevice.KindName, Name = device.Metadata.Name, Uid = device.Metadata.Uid }],
        },
        Spec = new() { GenerateBucketName = device.Metadata.Name, StorageClassName = storageClass },
    };
}
