using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Flotta.Resources;

/// <summary>What our six kinds have in common: the shape that the official client works with.</summary>
public abstract record Resource<TSpec, TStatus> : IKubernetesObject<V1ObjectMeta>
    where TSpec : class, new()
    where TStatus : class
{
    [JsonPropertyName("apiVersion"), JsonPropertyOrder(-5)]
    public string ApiVersion { get; set; } = Names.ApiVersion;

    [JsonPropertyName("kind"), JsonPropertyOrder(-4)]
    public abstract string Kind { get; set; }

    [JsonPropertyName("metadata"), JsonPropertyOrder(-3)]
    public V1ObjectMeta Metadata { get; set; } = new();

    [JsonPropertyName("spec"), JsonPropertyOrder(-2)]
    public TSpec Spec { get; init => field = value ?? new(); } = new();

    [JsonPropertyName("status"), JsonPropertyOrder(-1)]
    public TStatus? Status { get; init; }
}

/// <summary>A list as the API server returns it.</summary>
public sealed record ResourceList<T> : IKubernetesObject<V1ListMeta>, IItems<T>
    where T : IKubernetesObject<V1ObjectMeta>
{
    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = Names.ApiVersion;

    [JsonPropertyName("kind")]
    public string Kind { get; set; } = "List";

    [JsonPropertyName("metadata")]
    public V1ListMeta Metadata { get; set; } = new();

    [JsonPropertyName("items")]
    public IList<T> Items { get; set; } = [];
}
