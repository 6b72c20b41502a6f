using System.Diagnostics.CodeAnalysis;
using k8s.Models;
using static Flotta.Resources.Schemas.CustomResource;

namespace Flotta.Resources;

/// <summary>
/// The custom resource definitions of our six kinds, made from the records by reflection: for the tests, which keep deploy/kubernetes/crds
/// equal to them. The programs hand on those files (<see cref="DefinitionManifests"/>).
/// </summary>
[RequiresUnreferencedCode("Reads the properties of every record; the programs use DefinitionManifests.")]
public static class Definitions
{
    private const string Condition = ".status.conditions[?(@.type==\"{0}\")].status";

    private static readonly V1CustomResourceColumnDefinition Age = Column("Age", "date", ".metadata.creationTimestamp");

    public static V1CustomResourceDefinition EdgeDevice { get; } = Define<EdgeDevice>(
        null,
        Column("Phase", "string", ".status.phase"),
        Column("Connected", "string", ConditionPath(Names.DeviceConditions.Connected), "Whether the device is heard of"),
        Column("UpToDate", "string", ConditionPath(Names.DeviceConditions.UpToDate), "Whether the device has applied its configuration"),
        Column("Ready", "string", ConditionPath(Names.DeviceConditions.WorkloadsReady), "Whether all of its workloads run"),
        Column("Last seen", "date", ".status.lastSeenTime"),
        Age,
        Column("Version", "string", ".status.lastSyncedResourceVersion", "The configuration that the device has applied", wide: true),
        Column("Connected to", "string", ".status.connectedTo", "The Edge API replica that the device talks to", wide: true),
        Column("Hostname", "string", ".status.hardware.hostname", wide: true));

    public static V1CustomResourceDefinition EdgeDeviceSet { get; } = Define<EdgeDeviceSet>(
        null,
        Column("Devices", "integer", ".status.devices", "How many devices are members"),
        Column("Connected", "integer", ".status.connected", "How many of them are heard of"),
        Column("UpToDate", "integer", ".status.upToDate", "How many of them have applied their configuration"),
        Age);

    public static V1CustomResourceDefinition EdgeDeviceSignedRequest { get; } = Define<EdgeDeviceSignedRequest>(
        "edsr",
        Column("deviceid", "string", ".metadata.name", "DeviceID"),
        Column("targetNamespace", "string", ".spec.targetNamespace", "The namespace in which the device asks to be registered"),
        Column("Approved", "string", ".spec.approved", "Whether the device is let in"),
        Column("Status", "string", ".status.conditions[?(@.status==\"True\")].type", "pending, approved or declined"),
        Column("Key", "string", ".spec.keyFingerprint", "The key that the device offered"),
        Age);

    public static V1CustomResourceDefinition EdgeWorkload { get; } = Define<EdgeWorkload>(
        null,
        Column("Device", "string", ".spec.device", "The one device that runs it"),
        Column("Selector", "string", ".spec.deviceSelector.matchLabels", "The labels of the devices that run it"),
        Column("Devices", "integer", ".status.devices", "How many devices it is assigned to"),
        Column("Running", "integer", ".status.running", "On how many of them it runs"),
        Age);

    public static V1CustomResourceDefinition EdgeConfig { get; } = Define<EdgeConfig>(
        null,
        Column("Completed", "string", ".status.edgePlaybookStatus.conditions[?(@.type==\"Completed\")].status", "Whether every device is through with every playbook"),
        Column("Message", "string", ".status.edgePlaybookStatus.conditions[?(@.type==\"Completed\")].message"),
        Age);

    public static V1CustomResourceDefinition PlaybookExecution { get; } = Define<PlaybookExecution>(
        null,
        Column("Status", "string", ".status.conditions[?(@.status==\"True\")].type"),
        Age);

    public static IReadOnlyList<V1CustomResourceDefinition> All { get; } =
        [EdgeConfig, EdgeDevice, EdgeDeviceSet, EdgeDeviceSignedRequest, EdgeWorkload, PlaybookExecution];

    public static string FileName(V1CustomResourceDefinition definition) => $"{definition.Spec.Group}_{definition.Spec.Names.Plural}.yaml";

    private static string ConditionPath(string type) => Condition.Replace("{0}", type, StringComparison.Ordinal);
}
