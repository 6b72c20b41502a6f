using System.Text.Json;
using System.Text.Json.Serialization;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.Kube;

/// <summary>
/// Source-generated JSON of every kind that the control plane reads or writes: a kind that is missing here is a
/// <see cref="NotSupportedException"/> with its name at the first use. Use it through <see cref="KubeJson"/>.
/// </summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(KubeTime), typeof(SharedText)])]
[JsonSerializable(typeof(EdgeDevice))]
[JsonSerializable(typeof(EdgeDeviceSet))]
[JsonSerializable(typeof(EdgeDeviceSignedRequest))]
[JsonSerializable(typeof(EdgeWorkload))]
[JsonSerializable(typeof(EdgeConfig))]
[JsonSerializable(typeof(PlaybookExecution))]
[JsonSerializable(typeof(V1ConfigMap))]
[JsonSerializable(typeof(V1Lease))]
[JsonSerializable(typeof(V1Namespace))]
[JsonSerializable(typeof(V1Secret))]
[JsonSerializable(typeof(V1TokenReview))]
[JsonSerializable(typeof(V1SubjectAccessReview))]
[JsonSerializable(typeof(Authenticationv1TokenRequest))]
[JsonSerializable(typeof(V1ValidatingWebhookConfiguration))]
[JsonSerializable(typeof(Corev1Event))]
[JsonSerializable(typeof(ObjectBucketClaim))]
[JsonSerializable(typeof(Route))]
[JsonSerializable(typeof(ObjectPage))]
[JsonSerializable(typeof(WatchedChange))]
[JsonSerializable(typeof(V1DeleteOptions))]
[JsonSerializable(typeof(V1Status))]
[JsonSerializable(typeof(JsonElement))]
// Parts of a status that are written alone.
[JsonSerializable(typeof(Condition[]), TypeInfoPropertyName = "ConditionArray")]
[JsonSerializable(typeof(List<Condition>), TypeInfoPropertyName = "ConditionList")]
[JsonSerializable(typeof(IReadOnlyList<Condition>), TypeInfoPropertyName = "Conditions")]
[JsonSerializable(typeof(IReadOnlyList<DeviceWorkload>), TypeInfoPropertyName = "DeviceWorkloads")]
[JsonSerializable(typeof(IReadOnlyList<DevicePlaybook>), TypeInfoPropertyName = "DevicePlaybooks")]
internal sealed partial class KubeTypes : JsonSerializerContext;
