using Flotta.EdgeApi.Fleet;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.EdgeApi.Configuration;

/// <summary>One workload's entry in a configuration.</summary>
internal static class WorkloadAssembly
{
    /// <summary>Throws <see cref="MissingException"/> where something mandatory is not there.</summary>
    public static Wire.Workload Of(EdgeWorkload workload, Ingredients from)
    {
        var pod = workload.Spec.Pod?.Spec ?? throw new MissingException($"workload {workload.Metadata.Name} has no pod");
        CheckSecrets(pod, from);
        return new Wire.Workload
        {
            Name = workload.Metadata.Name,
            Namespace = workload.Metadata.NamespaceProperty,
            Labels = Podman(workload.Metadata.Labels),
            Annotations = Podman(workload.Metadata.Annotations),
            Specification = PodYaml.Of(pod),
            Data = Data(workload.Spec.Data),
            ImageRegistries = Registries(workload, from),
            Metrics = Metrics(workload.Spec.Metrics, from),
            Configmaps = ConfigMaps(pod, from),
            LogCollection = Text(workload.Spec.LogCollection),
        };
    }

    /// <summary>The Secrets that a pod's variables and volumes come from, without those that are optional and absent.</summary>
    public static IEnumerable<V1Secret> SecretsOf(PodSpec pod, Ingredients from) =>
        SecretReferences(pod).Select(reference => from.Secret(reference.Name)).OfType<V1Secret>();

    private static void CheckSecrets(PodSpec pod, Ingredients from)
    {
        foreach (var reference in SecretReferences(pod).Where(reference => !reference.Optional))
        {
            var secret = from.Secret(reference.Name) ?? throw new MissingException($"secret {reference.Name} does not exist");
            if (reference.Key is { Length: > 0 } key && secret.Data?.ContainsKey(key) != true)
                throw new MissingException($"secret {reference.Name} has no key {key}");
        }
    }

    private static List<string>? ConfigMaps(PodSpec pod, Ingredients from)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var reference in ConfigMapReferences(pod))
        {
            var map = from.ConfigMap(reference.Name);
            if (!reference.Optional)
            {
                if (map == null)
                    throw new MissingException($"ConfigMap {reference.Name} does not exist");
                if (reference.Key is { Length: > 0 } key && map.Data?.ContainsKey(key) != true)
                    throw new MissingException($"ConfigMap {reference.Name} has no key {key}");
            }

            if (map != null && !found.ContainsKey(reference.Name))
                found[reference.Name] = PodYaml.Of(map);
        }

        return found.Count == 0 ? null : [.. found.Values];
    }

    private static IEnumerable<PodReference> SecretReferences(PodSpec pod) => pod.AllContainers.SelectMany(container =>
        container.EnvFrom.Select(source => source.Secret).Concat(container.Env.Select(variable => variable.Secret)).OfType<PodReference>())
        .Concat(pod.Volumes.Select(volume => volume.Secret).OfType<PodReference>());

    private static IEnumerable<PodReference> ConfigMapReferences(PodSpec pod) => pod.AllContainers.SelectMany(container =>
        container.EnvFrom.Select(source => source.ConfigMap).Concat(container.Env.Select(variable => variable.ConfigMap)).OfType<PodReference>())
        .Concat(pod.Volumes.Select(volume => volume.ConfigMap).OfType<PodReference>());

    private static Wire.ImageRegistries? Registries(EdgeWorkload workload, Ingredients from)
    {
        if (workload.Spec.ImageRegistries?.SecretRef is not { Name.Length: > 0 } reference)
            return null;
        var secret = from.Secret(reference.Name) ?? throw new MissingException($"secret {reference.Name} with registry credentials does not exist");
        return secret.Data?.TryGetValue(References.AuthFileKey, out var file) == true
            ? new Wire.ImageRegistries(System.Text.Encoding.UTF8.GetString(file))
            : throw new MissingException($"secret {reference.Name} with registry credentials has no key {References.AuthFileKey}");
    }

    private static Wire.WorkloadMetrics? Metrics(WorkloadMetrics? metrics, Ingredients from) => metrics is not { Port: > 0 }
        ? null
        : new Wire.WorkloadMetrics
        {
            Path = Text(metrics.Path),
            Port = metrics.Port,
            Interval = metrics.Interval is > 0 ? metrics.Interval : null,
            AllowList = AllowList.Of(metrics.AllowList, from),
            Containers = metrics.Containers is not { Count: > 0 } containers
                ? null
                : new SortedDictionary<string, Wire.ContainerMetrics>(
                    containers.Where(entry => entry.Value != null).ToDictionary(
                        entry => entry.Key,
                        entry => new Wire.ContainerMetrics
                        {
                            Path = Text(entry.Value.Path),
                            Port = entry.Value.Port is > 0 ? entry.Value.Port : null,
                            Disabled = entry.Value.Disabled is true ? true : null,
                        },
                        StringComparer.Ordinal),
                    StringComparer.Ordinal),
        };

    private static Wire.DataConfiguration? Data(DataPaths? data) => data == null ? null : new Wire.DataConfiguration
    {
        Egress = data.Egress?.Select(Path).ToList(),
        Ingress = data.Ingress?.Select(Path).ToList(),
        IngressMaxMib = data.IngressMaxMiB,
        IntervalSeconds = data.IntervalSeconds,
    };

    private static Wire.DataPath Path(DataPath path) => new(path.Source, path.Target, path.Exclude is { Count: > 0 } patterns ? patterns : null);

    private static SortedDictionary<string, string>? Podman(IDictionary<string, string>? all)
    {
        var ours = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in all ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            if (key.StartsWith(Names.Labels.PodmanPrefix, StringComparison.Ordinal))
                ours[key[Names.Labels.PodmanPrefix.Length..]] = value;
        }

        return ours.Count == 0 ? null : ours;
    }

    private static string? Text(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
