namespace Flotta.Resources.Validation;

/// <summary>
/// Refuses what cannot run on a device, or not as it says, and accepts what podman can: resource limits, probes (but not by gRPC), some fields of the
/// pod as variables, and volumes of ConfigMaps, Secrets, claims, empty and host folders.
/// </summary>
public static class EdgeWorkloadValidation
{
    private static readonly string[] Unsupported = ["lifecycle"];
    private static readonly string[] Probes = ["livenessProbe", "readinessProbe", "startupProbe"];
    private static readonly string[] VolumeKinds = ["hostPath", "configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected"];
    private static readonly string[] Fields = ["metadata.name", "metadata.uid"];
    private static readonly string[] FieldMaps = ["metadata.labels['", "metadata.annotations['"];
    private static readonly string[] Resources = ["limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];

    /// <summary>Everything that is wrong with a workload, each in a sentence.</summary>
    public static IReadOnlyList<string> Errors(EdgeWorkload workload)
    {
        var errors = new List<string>();
        if (Placement.Problem(workload) is { } problem) errors.Add(problem);
        if (workload.Spec.Pod?.Spec is { } pod) errors.AddRange(Errors(pod));
        else if (string.Equals(workload.Spec.Type, "pod", StringComparison.Ordinal)) errors.Add("spec.pod is missing");
        errors.AddRange(DataValidation.Errors(workload.Spec.Data));
        return errors;
    }

    private static IEnumerable<string> Errors(PodSpec pod)
    {
        if (pod.Containers.Count == 0) yield return "the pod has no containers";
        var unsupported = pod.AllContainers.SelectMany(UnsupportedPaths).Concat(pod.Volumes.Where(IsUnsupported).Select(volume => $"volumes[{volume.Name}]"));
        var paths = string.Join(",", unsupported);
        if (paths.Length > 0) yield return "the following paths in podSpec are not supported and should be removed: " + paths;
        foreach (var name in Repeated(pod.AllContainers.Select(container => container.Name)))
            yield return $"name collisions for containers within the same pod are not supported.\ncontainer name: '{name}' has been reused";
        foreach (var container in pod.AllContainers.Where(container => string.IsNullOrEmpty(container.Image)))
            yield return $"containers[{container.Name}].image is missing";
        foreach (var error in Ports(pod).Concat(Volumes(pod))) yield return error;
    }

    private static IEnumerable<string> UnsupportedPaths(PodContainer container)
    {
        foreach (var name in Unsupported.Where(name => container.Json.Object(name) is not null)) yield return $"containers[{container.Name}].{name}";
        foreach (var probe in Probes.Where(probe => container.Json.Object(probe)?.Object("grpc") is not null)) yield return $"containers[{container.Name}].{probe}.grpc";
        if (container.Json.Objects("volumeDevices").Any()) yield return $"containers[{container.Name}].volumeDevices";
        foreach (var variable in container.Env)
        {
            if (variable.FieldRef is { } field && !IsField(field)) yield return $"containers[{container.Name}].env[{variable.Name}].ValueFrom.fieldRef";
            if (variable.ResourceFieldRef is { } resource && !Resources.Contains(resource, StringComparer.Ordinal)) yield return $"containers[{container.Name}].env[{variable.Name}].ValueFrom.resourceFieldRef";
        }
    }

    private static bool IsField(string path) =>
        Fields.Contains(path, StringComparer.Ordinal)
        || (path.EndsWith("']", StringComparison.Ordinal) && FieldMaps.Any(map => path.StartsWith(map, StringComparison.Ordinal)));

    private static bool IsUnsupported(PodVolume volume) => volume.Kind is not null && !VolumeKinds.Contains(volume.Kind, StringComparer.Ordinal);

    private static IEnumerable<string> Ports(PodSpec pod)
    {
        var ports = pod.AllContainers.SelectMany(container => container.Ports).Where(port => port.HostPort is not null).ToList();
        if (ports.Any(port => port.HostPort == Names.NodeExporterPort))
            yield return $"the host port {Names.NodeExporterPort} is reserved for node_exporter";
        foreach (var port in Repeated(ports.Select(port => $"{port.HostPort}/{port.Protocol}{(port.HostIp is null ? "" : " on " + port.HostIp)}")))
            yield return $"the host port {port} is used twice";
    }

    private static IEnumerable<string> Volumes(PodSpec pod)
    {
        var volumes = pod.Volumes.Select(volume => volume.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in Repeated(pod.Volumes.Select(volume => volume.Name))) yield return $"volumes[{name}] is there twice";
        foreach (var container in pod.AllContainers)
        {
            foreach (var mount in container.Json.Objects("volumeMounts").Select(mount => mount.Text("name") ?? "").Where(name => !volumes.Contains(name)))
                yield return $"containers[{container.Name}].volumeMounts[{mount}] names no volume of the pod";
        }
    }

    private static IEnumerable<string> Repeated(IEnumerable<string> names) =>
        names.GroupBy(name => name, StringComparer.Ordinal).Where(same => same.Count() > 1).Select(same => same.Key);
}
