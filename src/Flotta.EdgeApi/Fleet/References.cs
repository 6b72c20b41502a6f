using Flotta.Resources;

namespace Flotta.EdgeApi.Fleet;

/// <summary>Which Secrets and ConfigMaps an object refers to. All of them live in the object's own namespace.</summary>
internal static class References
{
    public const string AuthFileKey = ".dockerconfigjson";

    public static IEnumerable<Attachment> Of(EdgeWorkload workload)
    {
        var home = workload.Metadata.NamespaceProperty;
        var pod = workload.Spec.Pod?.Spec ?? PodSpec.Empty;
        foreach (var container in pod.AllContainers)
        {
            foreach (var source in container.EnvFrom)
            {
                if (source.Secret is { } secret)
                    yield return new(AttachmentKind.Secret, home, secret.Name);
                if (source.ConfigMap is { } map)
                    yield return new(AttachmentKind.ConfigMap, home, map.Name);
            }

            foreach (var variable in container.Env)
            {
                if (variable.Secret is { } secret)
                    yield return new(AttachmentKind.Secret, home, secret.Name);
                if (variable.ConfigMap is { } map)
                    yield return new(AttachmentKind.ConfigMap, home, map.Name);
            }
        }

        foreach (var volume in pod.Volumes)
        {
            if (volume.Secret is { } secret)
                yield return new(AttachmentKind.Secret, home, secret.Name);
            if (volume.ConfigMap is { } map)
                yield return new(AttachmentKind.ConfigMap, home, map.Name);
        }

        if (workload.Spec.ImageRegistries?.SecretRef is { Name.Length: > 0 } auth)
            yield return new(AttachmentKind.Secret, home, auth.Name);
        if (workload.Spec.Metrics?.AllowList is { Name.Length: > 0 } list)
            yield return new(AttachmentKind.ConfigMap, home, list.Name);
    }

    /// <summary>Where OpenShift keeps the authority of its routes, through which devices reach their buckets.</summary>
    public static readonly Attachment RouterCa = new(AttachmentKind.Secret, "openshift-ingress-operator", "router-ca");

    public static IEnumerable<Attachment> Of(EdgeDevice device)
    {
        var home = device.Metadata.NamespaceProperty;
        var all = Of(home, device.Spec.Metrics, device.Spec.LogCollection, device.Spec.Storage);
        return device.Status?.DataObc is { Length: > 0 } claim
            ? all.Append(new(AttachmentKind.ConfigMap, home, claim)).Append(new(AttachmentKind.Secret, home, claim))
            : all;
    }

    public static IEnumerable<Attachment> Of(EdgeDeviceSet set) => Of(set.Metadata.NamespaceProperty, set.Spec.Metrics, set.Spec.LogCollection, set.Spec.Storage);

    private static IEnumerable<Attachment> Of(string home, MetricsSettings? metrics, IReadOnlyDictionary<string, LogTarget>? logs, StorageSettings? storage)
    {
        if (metrics?.System?.AllowList is { Name.Length: > 0 } system)
            yield return new(AttachmentKind.ConfigMap, home, system.Name);
        if (metrics?.DataTransfer?.AllowList is { Name.Length: > 0 } transfer)
            yield return new(AttachmentKind.ConfigMap, home, transfer.Name);
        if (metrics?.ReceiverConfiguration?.CaSecretName is { Length: > 0 } ca)
            yield return new(AttachmentKind.Secret, home, ca);
        foreach (var target in logs?.Values ?? [])
        {
            if (target?.SyslogConfig is { Name.Length: > 0 } syslog)
                yield return new(AttachmentKind.ConfigMap, home, syslog.Name);
        }

        if (storage?.S3?.SecretName is { Length: > 0 } secret)
            yield return new(AttachmentKind.Secret, home, secret);
        if (storage?.S3?.ConfigMapName is { Length: > 0 } map)
            yield return new(AttachmentKind.ConfigMap, home, map);
    }
}
