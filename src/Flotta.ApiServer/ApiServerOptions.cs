using System.Net;

namespace Flotta.ApiServer;

/// <summary>Where the server keeps its data and listens.</summary>
public sealed record ApiServerOptions
{
    /// <summary>Made when absent; one server at a time may use it.</summary>
    public required string DataDirectory { get; init; }

    public IPAddress Listen { get; init; } = IPAddress.Loopback;

    /// <summary>0 for any that is free.</summary>
    public int Port { get; init; } = 6443;
}
