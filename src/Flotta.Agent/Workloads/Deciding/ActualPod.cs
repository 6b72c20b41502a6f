using System.Globalization;

namespace Flotta.Agent.Workloads;

/// <summary>A pod as podman has it.</summary>
internal sealed record ActualPod
{
    public const int DefaultGraceSeconds = 10;

    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary>podman's word: Created, Running, Degraded, Exited, Stopped, Paused, Error, …</summary>
    public required string Status { get; init; }

    /// <summary>Made by this device's agent. Anything else is looked at for its name and never touched.</summary>
    public bool Ours { get; init; }

    public string Workload { get; init; } = "";

    public string Hash { get; init; } = "";

    public RestartPolicy RestartPolicy { get; init; }

    public int GraceSeconds { get; init; } = DefaultGraceSeconds;

    public bool Rehearsal { get; init; }

    public string? InfraId { get; init; }

    public bool InfraRunning { get; init; }

    /// <summary>Neither infra nor init containers.</summary>
    public IReadOnlyList<ActualContainer> Containers { get; init; } = [];

    /// <summary>Made for this workload under its own name: the one to keep, update or supervise.</summary>
    public bool IsOf(string workload) => Ours && !Rehearsal && Name == workload && Workload == workload;

    public static ActualPod From(PodmanPod pod, string deviceId)
    {
        var labels = pod.Labels ?? [];
        string Label(string key) => labels.GetValueOrDefault(key) ?? "";
        var inits = Label(ObjectLabels.InitContainers).Split(',', StringSplitOptions.RemoveEmptyEntries).Select(init => $"{pod.Name}-{init}").ToHashSet(StringComparer.Ordinal);
        var containers = pod.Containers ?? [];
        return new ActualPod
        {
            Id = pod.Id,
            Name = pod.Name,
            Status = pod.Status,
            Ours = Label(ObjectLabels.Managed) == "true" && Label(ObjectLabels.Device) == deviceId,
            Workload = Label(ObjectLabels.Workload),
            Hash = Label(ObjectLabels.Hash),
            RestartPolicy = Enum.TryParse<RestartPolicy>(Label(ObjectLabels.RestartPolicy), out var policy) ? policy : RestartPolicy.Always,
            GraceSeconds = int.TryParse(Label(ObjectLabels.GraceSeconds), CultureInfo.InvariantCulture, out var grace) ? grace : DefaultGraceSeconds,
            Rehearsal = labels.ContainsKey(ObjectLabels.Rehearsal),
            InfraId = pod.InfraId,
            InfraRunning = containers.Any(container => container.Id == pod.InfraId && container.Status == "running"),
            Containers =
            [
                .. containers
                    .Where(container => container.Id != pod.InfraId && !inits.Contains(container.Names ?? ""))
                    .Select(container => new ActualContainer(container.Id ?? "", container.Names ?? "", container.Status ?? "")),
            ],
        };
    }
}

/// <param name="ExitCode">Null while it runs, or was not asked for.</param>
internal sealed record ActualContainer(string Id, string Name, string Status, int? ExitCode = null, bool OutOfMemory = false)
{
    public bool Running => Status == "running";

    public bool Ended => Status is "exited" or "stopped" or "dead";

    /// <summary>It did its work and stays ended.</summary>
    public bool EndedWell(RestartPolicy policy) => Ended && ExitCode == 0 && policy != RestartPolicy.Always;

    /// <summary>It failed, and nothing will start it again.</summary>
    public bool FailedForGood(RestartPolicy policy) => Ended && ExitCode is not (null or 0) && policy == RestartPolicy.Never;

    /// <summary>Why its liveness or startup probe wants it started anew.</summary>
    public string? Unhealthy { get; init; }

    /// <summary>Why it does not count as up, though it runs.</summary>
    public string? Unready { get; init; }

    public bool Up => Running && Unhealthy is null && Unready is null;

    public bool NeverRan => Status is "created" or "configured" or "initialized";
}
