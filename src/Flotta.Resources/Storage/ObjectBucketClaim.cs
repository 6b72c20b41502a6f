using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Flotta.Resources;

/// <summary>Asks a provisioner (NooBaa, Rook, …) for a bucket. It answers with a ConfigMap and a Secret of the claim's name. Not a kind of ours: only what we say in it.</summary>
[KubernetesEntity(Group = "objectbucket.io", ApiVersion = "v1alpha1", Kind = "ObjectBucketClaim", PluralName = "objectbucketclaims")]
public sealed record ObjectBucketClaim : IKubernetesObject<V1ObjectMeta>
{
    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = "objectbucket.io/v1alpha1";

    [JsonPropertyName("kind")]
    public string Kind { get; set; } = "ObjectBucketClaim";

    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    [JsonPropertyName("spec")]
    public ObjectBucketClaimSpec Spec { get; init => field = value ?? new(); } = new();
}

public sealed record ObjectBucketClaimSpec
{
    [JsonPropertyName("generateBucketName")]
    public string? GenerateBucketName { get; init; }

    [JsonPropertyName("storageClassName")]
    public string? StorageClassName { get; init; }
}

/// <summary>OpenShift's way of telling the outside name of a service.</summary>
[KubernetesEntity(Group = "route.openshift.io", ApiVersion = "v1", Kind = "Route", PluralName = "routes")]
public sealed record Route : IKubernetesObject<V1ObjectMeta>
{
    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = "route.openshift.io/v1";

    [JsonPropertyName("kind")]
    public string Kind { get; set; } = "Route";

    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    [JsonPropertyName("spec")]
    public RouteSpec Spec { get; init => field = value ?? new(); } = new();
}

public sealed record RouteSpec
{
    [JsonPropertyName("host")]
    public string? Host { get; init; }
}
