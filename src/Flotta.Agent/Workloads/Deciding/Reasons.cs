namespace Flotta.Agent.Workloads;

/// <summary>Why a workload is not (yet) as desired, in one word.</summary>
public static class Reasons
{
    public const string Held = "Held";
    public const string InvalidSpecification = "InvalidSpecification";
    public const string NameTaken = "NameTaken";
    public const string Pulling = "Pulling";
    public const string ImagePullFailed = "ImagePullFailed";
    public const string DiskFull = "DiskFull";
    public const string MountMissing = "MountMissing";
    public const string CreateFailed = "CreateFailed";
    public const string StartFailed = "StartFailed";
    public const string RolledBack = "RolledBack";
    public const string StopFailed = "StopFailed";
    public const string PortInUse = "PortInUse";
    public const string ContainerExited = "ContainerExited";
    public const string Unhealthy = "Unhealthy";
    public const string NotReady = "NotReady";
    public const string Completed = "Completed";
    public const string Paused = "Paused";
    public const string PodmanUnavailable = "PodmanUnavailable";

    /// <summary>Only as an event: what had been announced is over.</summary>
    public const string Recovered = "Recovered";

    /// <summary>The states that are nobody's fault.</summary>
    public static bool IsFailure(string? reason) => reason is not (null or Held or Pulling or NotReady or Completed or Paused or MountMissing);
}

/// <summary>Words for pods beside podman's own.</summary>
public static class Phases
{
    /// <summary>There is no pod yet.</summary>
    public const string Deploying = "Deploying";
    public const string Running = "Running";
}
