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

    /// <summary>Id of the image that it was made from.</summary>
    public string? Image { get; init; }

    public PodmanContainerState? State { get; init; }

    public PodmanHostConfig? HostConfig { get; init; }

    public PodmanNetworkSettings? NetworkSettings { get; init; }
}

internal sealed record PodmanHostConfig(string? NetworkMode);

internal sealed record PodmanNetworkSettings(Dictionary<string, PodmanNetwork?>? Networks)
{
    public string? Address => Networks?.Values.Select(network => network?.IPAddress).FirstOrDefault(address => !string.IsNullOrEmpty(address));
}

internal sealed record PodmanNetwork(string? IPAddress);

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

internal sealed record PodmanInfo
{
    [JsonPropertyName("store")]
    public PodmanStore? Store { get; init; }
}

internal sealed record PodmanStore
{
    [JsonPropertyName("graphRoot")]
    public string? GraphRoot { get; init; }
}

internal sealed record PodmanVolume(string? Name, Dictionary<string, string>? Labels);

internal sealed record PodmanImage(string? Id);

internal sealed record PodmanExecRequest(IReadOnlyList<string> Cmd, bool AttachStdout, bool AttachStderr);

internal sealed record PodmanExecStart(bool Detach);

internal sealed record PodmanExec
{
    // The session is made with "Id" and shown with "ID".
    [JsonPropertyName("Id")]
    public string Id { get; init; } = "";

    public bool Running { get; init; }

    public int ExitCode { get; init; }

    public int Pid { get; init; }
}

internal sealed record PodmanVolumeRequest(string Name, Dictionary<string, string> Labels, Dictionary<string, string> Options);

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(List<PodmanPod>))]
[JsonSerializable(typeof(PodmanPodInspected))]
[JsonSerializable(typeof(PodmanInfo))]
[JsonSerializable(typeof(PodmanContainer))]
[JsonSerializable(typeof(PodmanPlayed))]
[JsonSerializable(typeof(PodmanError))]
[JsonSerializable(typeof(PodmanPullLine))]
[JsonSerializable(typeof(PodmanEvent))]
[JsonSerializable(typeof(List<PodmanVolume>))]
[JsonSerializable(typeof(PodmanVolumeRequest))]
[JsonSerializable(typeof(PodmanExecRequest))]
[JsonSerializable(typeof(PodmanExecStart))]
[JsonSerializable(typeof(PodmanExec))]
[JsonSerializable(typeof(PodmanImage))]
[JsonSerializable(typeof(Dictionary<string, string[]>))]
internal sealed partial class PodmanJson : JsonSerializerContext;
