using System.Globalization;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.EdgeApi.Configuration;

/// <summary>
/// The device's bucket: its own where it has one, else the one that it or its set names. As in the original a bucket that cannot be described is left out, and the
/// workloads run without it.
/// </summary>
internal static class StorageAssembly
{
    public static Wire.StorageConfiguration? Of(StorageSettings? storage, Ingredients from)
    {
        var s3 = from.Device.Status?.DataObc is { Length: > 0 } claim ? Own(claim, from) : Named(storage?.S3, from);
        return s3 == null ? null : new Wire.StorageConfiguration(s3)
        {
            MaxKibPerSecond = storage?.MaxKiBPerSecond,
            Schedule = storage?.Schedule is { Count: > 0 } windows ? [.. windows.Select(window => new Wire.SyncWindow(window.Days is { Count: > 0 } days ? days : null, window.From, window.To))] : null,
        };
    }

    /// <summary>Why a bucket that should be there is left out; null where all is well or nobody wants one. No content of anything.</summary>
    public static string? Problem(StorageSettings? storage, Ingredients from)
    {
        if (Of(storage, from) != null)
            return null;
        if (from.Device.Status?.DataObc is { Length: > 0 } claim)
            return $"the bucket {claim} cannot be used (yet): its ConfigMap or Secret is missing or not complete";
        return storage?.S3 is { } s3 && (!string.IsNullOrEmpty(s3.SecretName) || !string.IsNullOrEmpty(s3.ConfigMapName))
            ? $"the bucket of ConfigMap {s3.ConfigMapName} and Secret {s3.SecretName} cannot be used: one of them is missing or not complete"
            : null;
    }

    private static Wire.S3Storage? Own(string claim, Ingredients from)
    {
        var (map, secret) = (from.ConfigMap(claim)?.Data, from.Secret(claim));
        if (map == null || !map.TryGetValue("BUCKET_NAME", out var bucket) || string.IsNullOrEmpty(bucket))
            return null;
        if (from.Route is { } route)
            return Credentials(new Wire.S3Storage { BucketName = bucket, BucketHost = route.Host, BucketPort = 443, BucketRegion = "ignore" }, secret, route.Ca);
        // Without OpenShift's route: what the provisioner says itself.
        return map.TryGetValue("BUCKET_HOST", out var host) && !string.IsNullOrEmpty(host) && Port(map) is { } port
            ? Credentials(
                new Wire.S3Storage { BucketName = bucket, BucketHost = host, BucketPort = port, BucketRegion = map.TryGetValue("BUCKET_REGION", out var region) && region.Length > 0 ? region : "ignore" },
                secret,
                Bytes(secret, "tls.crt"))
            : null;
    }

    private static Wire.S3Storage? Named(S3Storage? s3, Ingredients from)
    {
        if (s3 == null || (string.IsNullOrEmpty(s3.SecretName) && string.IsNullOrEmpty(s3.ConfigMapName)))
            return null;
        var (map, secret) = (from.ConfigMap(s3.ConfigMapName ?? "")?.Data, from.Secret(s3.SecretName ?? ""));
        return map != null && map.TryGetValue("BUCKET_NAME", out var bucket) && map.TryGetValue("BUCKET_HOST", out var host) && map.TryGetValue("BUCKET_REGION", out var region) && Port(map) is { } port
            ? Credentials(new Wire.S3Storage { BucketName = bucket, BucketHost = host, BucketPort = port, BucketRegion = region }, secret, Bytes(secret, "tls.crt"))
            : null;
    }

    private static Wire.S3Storage? Credentials(Wire.S3Storage s3, V1Secret? secret, byte[]? ca) =>
        Bytes(secret, "AWS_ACCESS_KEY_ID") is { } id && Bytes(secret, "AWS_SECRET_ACCESS_KEY") is { } key
            ? s3 with { AwsAccessKeyId = Convert.ToBase64String(id), AwsSecretAccessKey = Convert.ToBase64String(key), AwsCaBundle = ca == null ? null : Convert.ToBase64String(ca) }
            : null;

    private static int? Port(IDictionary<string, string> map) =>
        map.TryGetValue("BUCKET_PORT", out var text) && ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port != 0 ? port : null;

    private static byte[]? Bytes(V1Secret? secret, string key) => secret?.Data?.TryGetValue(key, out var bytes) == true ? bytes : null;
}
