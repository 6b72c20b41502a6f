namespace Flotta.Agent.Workloads;

/// <summary>podman's REST API over a unix socket.</summary>
public sealed class PodmanClient(string socketPath) : IDisposable
{
    public string SocketPath { get; } = socketPath;

    public void Dispose() { }
}
