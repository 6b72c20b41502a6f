using System.Text.Json.Serialization;

namespace Flotta.Agent.Workloads;

// podman's answers, only the fields that are read. Names are podman's own, capitals included.

internal sealed record PodmanPod
{
    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    public string Status { get; init; } = "";

    public string? InfraId { get; init; }

    public Dictionary<string, string>? Labels { get; init; }

    public IReadOnlyList<PodmanPodContainer>? Containers { get; init; }
}

internal sealed record PodmanPodContainer(string? Id, string? Names, string? Status);

internal sealed record PodmanPodInspected(PodmanInfraConfig? InfraConfig);

internal sealed record PodmanInfraConfig(Dictionary<string, List<PodmanPortBinding>?>? PortBindings);

internal sealed record PodmanPortBinding(string? HostIp, string? HostPort);

internal sealed record PodmanContainer
{
    public string Id { get; init; } = "";

    public string? Name { get; init; }

    public PodmanContainerState? State { get; init; }
}

internal sealed record PodmanContainerState
{
    public string? Status { get; init; }

    public int Pid { get; init; }

    public int ExitCode { get; init; }

    public bool OOMKilled { get; init; }

    public string? Error { get; init; }
}

internal sealed record PodmanPlayed(IReadOnlyList<PodmanPlayedPod>? Pods);

internal sealed record PodmanPlayedPod
{
    [JsonPropertyName("ID")]
    public string? Id { get; init; }

    public IReadOnlyList<string>? ContainerErrors { get; init; }
}

internal sealed record PodmanError
{
    [JsonPropertyName("cause")]
    public string? Cause { get; init; }

    [JsonPropertyName("message")]
    public string? Message { get; init; }

    public IReadOnlyList<string>? Errs { get; init; }

    public string? Err { get; init; }
}

internal sealed record PodmanPullLine
{
    [JsonPropertyName("stream")]
    public string? Stream { get; init; }

    [JsonPropertyName("error")]
    public string? Error { get; init; }
}

internal sealed record PodmanEvent(string? Type, string? Action);

internal sealed record PodmanVolume(string? Name, Dictionary<string, string>? Labels);

internal sealed record PodmanVolumeRequest(string Name, Dictionary<string, string> Labels);

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(List<PodmanPod>))]
[JsonSerializable(typeof(PodmanPodInspected))]
[JsonSerializable(typeof(PodmanContainer))]
[JsonSerializable(typeof(PodmanPlayed))]
[JsonSerializable(typeof(PodmanError))]
[JsonSerializable(typeof(PodmanPullLine))]
[JsonSerializable(typeof(PodmanEvent))]
[JsonSerializable(typeof(List<PodmanVolume>))]
[JsonSerializable(typeof(PodmanVolumeRequest))]
[JsonSerializable(typeof(Dictionary<string, string[]>))]
internal sealed partial class PodmanJson : JsonSerializerContext;
