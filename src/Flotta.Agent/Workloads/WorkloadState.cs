namespace Flotta.Agent.Workloads;

/// <summary>What a heartbeat says of one workload.</summary>
/// <param name="Phase">podman's own word for the pod, or Deploying while there is none.</param>
/// <param name="Reason">Why it is not as desired, in one word of Reasons; null when all is well.</param>
/// <param name="Message">The same for people.</param>
public sealed record WorkloadState(string Name, string Phase, string? Reason, string? Message, DateTimeOffset? LastTransition);

/// <summary>Something that people should read once: becomes a Kubernetes event of the device.</summary>
/// <param name="Type">info or warn.</param>
public sealed record WorkloadEvent(string Reason, string Message, string Type);
