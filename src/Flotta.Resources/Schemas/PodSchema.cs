using k8s.Models;

namespace Flotta.Resources.Schemas;

/// <summary>What Kubernetes demands of a PodSpec and the client's types do not tell.</summary>
internal static class PodSchema
{
    private static readonly Dictionary<Type, string[]> Required = new()
    {
        [typeof(V1PodSpec)] = ["containers"],
        [typeof(V1Container)] = ["name"],
        [typeof(V1EphemeralContainer)] = ["name"],
        [typeof(V1ContainerPort)] = ["containerPort"],
        [typeof(V1EnvVar)] = ["name"],
        [typeof(V1ConfigMapKeySelector)] = ["key"],
        [typeof(V1SecretKeySelector)] = ["key"],
        [typeof(V1ObjectFieldSelector)] = ["fieldPath"],
        [typeof(V1ResourceFieldSelector)] = ["resource"],
        [typeof(V1VolumeMount)] = ["mountPath", "name"],
        [typeof(V1VolumeDevice)] = ["devicePath", "name"],
        [typeof(V1HTTPGetAction)] = ["port"],
        [typeof(V1HTTPHeader)] = ["name", "value"],
        [typeof(V1TCPSocketAction)] = ["port"],
        [typeof(V1GRPCAction)] = ["port"],
        [typeof(V1SleepAction)] = ["seconds"],
        [typeof(V1Volume)] = ["name"],
        [typeof(V1HostPathVolumeSource)] = ["path"],
        [typeof(V1AWSElasticBlockStoreVolumeSource)] = ["volumeID"],
        [typeof(V1GCEPersistentDiskVolumeSource)] = ["pdName"],
        [typeof(V1GitRepoVolumeSource)] = ["repository"],
        [typeof(V1NFSVolumeSource)] = ["path", "server"],
        [typeof(V1ISCSIVolumeSource)] = ["iqn", "lun", "targetPortal"],
        [typeof(V1GlusterfsVolumeSource)] = ["endpoints", "path"],
        [typeof(V1RBDVolumeSource)] = ["image", "monitors"],
        [typeof(V1CephFSVolumeSource)] = ["monitors"],
        [typeof(V1CinderVolumeSource)] = ["volumeID"],
        [typeof(V1AzureFileVolumeSource)] = ["secretName", "shareName"],
        [typeof(V1AzureDiskVolumeSource)] = ["diskName", "diskURI"],
        [typeof(V1QuobyteVolumeSource)] = ["registry", "volume"],
        [typeof(V1VsphereVirtualDiskVolumeSource)] = ["volumePath"],
        [typeof(V1PhotonPersistentDiskVolumeSource)] = ["pdID"],
        [typeof(V1PortworxVolumeSource)] = ["volumeID"],
        [typeof(V1ScaleIOVolumeSource)] = ["gateway", "secretRef", "system"],
        [typeof(V1CSIVolumeSource)] = ["driver"],
        [typeof(V1FlexVolumeSource)] = ["driver"],
        [typeof(V1PersistentVolumeClaimVolumeSource)] = ["claimName"],
        [typeof(V1PersistentVolumeClaimTemplate)] = ["spec"],
        [typeof(V1TypedLocalObjectReference)] = ["kind", "name"],
        [typeof(V1TypedObjectReference)] = ["kind", "name"],
        [typeof(V1KeyToPath)] = ["key", "path"],
        [typeof(V1ServiceAccountTokenProjection)] = ["path"],
        [typeof(V1ClusterTrustBundleProjection)] = ["path"],
        [typeof(V1DownwardAPIVolumeFile)] = ["path"],
        [typeof(V1NodeSelector)] = ["nodeSelectorTerms"],
        [typeof(V1NodeSelectorRequirement)] = ["key", "operator"],
        [typeof(V1PreferredSchedulingTerm)] = ["preference", "weight"],
        [typeof(V1WeightedPodAffinityTerm)] = ["podAffinityTerm", "weight"],
        [typeof(V1PodAffinityTerm)] = ["topologyKey"],
        [typeof(V1LabelSelectorRequirement)] = ["key", "operator"],
        [typeof(V1PodReadinessGate)] = ["conditionType"],
        [typeof(V1PodSchedulingGate)] = ["name"],
        [typeof(V1PodResourceClaim)] = ["name"],
        [typeof(V1PodOS)] = ["name"],
        [typeof(V1SeccompProfile)] = ["type"],
        [typeof(V1AppArmorProfile)] = ["type"],
        [typeof(V1Sysctl)] = ["name", "value"],
        [typeof(V1TopologySpreadConstraint)] = ["maxSkew", "topologyKey", "whenUnsatisfiable"],
    };

    public static bool Requires(Type type, string property) =>
        Required.TryGetValue(type, out var properties) && properties.Contains(property, StringComparer.Ordinal);

    public static void Refine(Type type, Dictionary<string, V1JSONSchemaProps> properties)
    {
        if (type == typeof(V1ContainerPort)) properties["protocol"].DefaultProperty = "TCP";
        if (type == typeof(V1Container) || type == typeof(V1EphemeralContainer)) KeyedBy(properties["ports"], "containerPort", "protocol");
        if (type == typeof(V1PodSpec)) KeyedBy(properties["topologySpreadConstraints"], "topologyKey", "whenUnsatisfiable");
    }

    private static void KeyedBy(V1JSONSchemaProps list, params string[] keys)
    {
        list.XKubernetesListType = "map";
        list.XKubernetesListMapKeys = keys;
    }
}
