using System.Text.Json.Serialization;

namespace Flotta.Wire;

/// <summary>One workload that the device shall run.</summary>
public sealed record Workload
{
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>YAML documents of kind ConfigMap.</summary>
    public IReadOnlyList<string>? Configmaps { get; init; }

    public DataConfiguration? Data { get; init; }

    /// <summary>Ours: why this workload could not be assembled. Such an entry has no specification, and what runs under its name is left as it is.</summary>
    public string? Hold { get; init; }

    [JsonPropertyName("imageRegistries")]
    public ImageRegistries? ImageRegistries { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Name of the log target.</summary>
    public string? LogCollection { get; init; }

    public WorkloadMetrics? Metrics { get; init; }

    public string? Name { get; init; }

    public string? Namespace { get; init; }

    /// <summary>YAML text of a PodSpec.</summary>
    public string? Specification { get; init; }

    // A specification may hold literal credentials.
    public override string ToString() => $"workload {Namespace}/{Name}";
}

public sealed record DataConfiguration
{
    public IReadOnlyList<DataPath>? Egress { get; init; }

    public IReadOnlyList<DataPath>? Ingress { get; init; }

    /// <summary>Ours: how much of the bucket may be on the device, all ingress paths together.</summary>
    public long? IngressMaxMib { get; init; }

    /// <summary>Ours: seconds between two looks into the bucket.</summary>
    public long? IntervalSeconds { get; init; }
}

/// <param name="Exclude">Ours: patterns of files that stay where they are.</param>
public sealed record DataPath(string? Source, string? Target, IReadOnlyList<string>? Exclude = null);

/// <param name="AuthFile">Text of a docker auth file.</param>
public sealed record ImageRegistries([property: JsonPropertyName("authFile")] string? AuthFile)
{
    public override string ToString() => "image registries";
}

public sealed record WorkloadMetrics
{
    public MetricsAllowList? AllowList { get; init; }

    public IReadOnlyDictionary<string, ContainerMetrics>? Containers { get; init; }

    /// <summary>Seconds.</summary>
    public long? Interval { get; init; }

    public string? Path { get; init; }

    public long? Port { get; init; }
}

public sealed record ContainerMetrics
{
    public bool? Disabled { get; init; }

    public string? Path { get; init; }

    public long? Port { get; init; }
}

/// <param name="Data">JSON text of an object from key to base64 value.</param>
public sealed record Secret(string? Data, string? Name)
{
    public override string ToString() => $"secret {Name}";
}
