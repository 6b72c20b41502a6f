namespace Flotta.Agent.Workloads;

/// <summary>The labels that everything of ours in podman carries. What a pod needs to be supervised and removed is on the pod itself.</summary>
internal static class ObjectLabels
{
    public const string Prefix = "project-flotta.io/";
    public const string Managed = Prefix + "managed";
    public const string Workload = Prefix + "workload";
    public const string Hash = Prefix + "hash";
    public const string Device = Prefix + "device";
    public const string RestartPolicy = Prefix + "restart-policy";
    public const string GraceSeconds = Prefix + "grace-seconds";

    /// <summary>Names of the init containers, joined by commas: that they have ended is no reason to start anything.</summary>
    public const string InitContainers = Prefix + "init-containers";

    /// <summary>On a pod that was made only to see whether podman accepts it.</summary>
    public const string Rehearsal = Prefix + "rehearsal";
}
