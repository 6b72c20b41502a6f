namespace Flotta.Agent.Workloads;

/// <summary>A workload as podman shall run it.</summary>
internal sealed record PodManifest
{
    public required string Name { get; init; }

    /// <summary>Of everything that makes the pod what it is; on the pod as a label. The same hash means: do not touch.</summary>
    public required string Hash { get; init; }

    /// <summary>The hash and the registry credentials: a change of these does not touch the pod, but is worth another try to pull.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The Pod as JSON, which is YAML too. Holds the values of secrets.</summary>
    public required string Document { get; init; }

    /// <summary>podman's network to join; null for the host's.</summary>
    public string? Network { get; init; }

    public required RestartPolicy RestartPolicy { get; init; }

    public required IReadOnlyList<ImageNeed> Images { get; init; }

    /// <summary>Content of the header X-Registry-Auth.</summary>
    public string? RegistryAuth { get; init; }

    public IReadOnlyList<HostPort> Ports { get; init; } = [];

    /// <summary>Named volumes of podman that have to exist.</summary>
    public IReadOnlyList<string> Volumes { get; init; } = [];

    public IReadOnlyList<MemoryVolume> InMemory { get; init; } = [];

    /// <summary>Paths of the host that it mounts.</summary>
    public IReadOnlyList<string> HostPaths { get; init; } = [];

    /// <summary>Whether it follows the images behind its names.</summary>
    public UpdateSource Updates { get; init; }

    /// <summary>It names its images by their ids.</summary>
    public bool Pinned { get; init; }

    /// <summary>What the agent asks the containers; podman is told of none of them.</summary>
    public IReadOnlyList<ContainerProbe> Probes { get; init; } = [];

    /// <summary>Contents of ConfigMap and Secret volumes, relative to the folder <c>files/hash</c> of the workload.</summary>
    public IReadOnlyList<ConfigFile> Files { get; init; } = [];

    /// <summary>Folders that have to exist for them, also when they are empty.</summary>
    public IReadOnlyList<string> Folders { get; init; } = [];

    // Never the document: it has secrets in it.
    public override string ToString() => $"{Name}@{Hash}";
}

internal enum RestartPolicy
{
    Always,
    OnFailure,
    Never,
}

internal enum PullPolicy
{
    /// <summary>Only if the image is not there.</summary>
    IfNotPresent,

    /// <summary>Must be pulled when the pod is made.</summary>
    Always,

    /// <summary>What an unsaid policy means for <c>latest</c>: pulled when the pod is made, but an image that is there will do when the registry is out of reach.</summary>
    Newer,

    Never,
}

/// <param name="Id">The one image that it has to be, which is on the device already.</param>
internal sealed record ImageNeed(string Reference, PullPolicy Policy, string? Id = null);

internal sealed record HostPort(string Address, int Port, bool Udp);

internal sealed record ConfigFile(string Path, byte[] Content, int Mode);
