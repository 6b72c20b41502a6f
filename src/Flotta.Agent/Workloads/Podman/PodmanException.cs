using System.Net;

namespace Flotta.Agent.Workloads;

/// <summary>podman answered with an error, or could not be asked. The message is podman's own, in one line.</summary>
public sealed class PodmanException(string message, HttpStatusCode? status = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Null when there was no answer at all.</summary>
    public HttpStatusCode? Status { get; } = status;

    /// <summary>podman is not there: nothing about the workload itself is known.</summary>
    public bool Unreachable => Status is null;

    /// <summary>The call ran into its deadline.</summary>
    public bool TimedOut { get; init; }
}
