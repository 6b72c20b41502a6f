using System.Net;
using Microsoft.Extensions.Logging;

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

/// <summary>A small Kubernetes-style API server in this process, on one SQLite file.</summary>
public sealed class EmbeddedApiServer : IAsyncDisposable
{
    private EmbeddedApiServer(Uri address) => Address = address;

    public Uri Address { get; }

    /// <exception cref="ApiServerStartException">With one sentence for a person.</exception>
    public static Task<EmbeddedApiServer> StartAsync(
        ApiServerOptions options, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken) => throw new NotSupportedException("not built yet");

    /// <summary>A kubeconfig with the CA and a fresh client certificate for this user in these groups.</summary>
    public string Kubeconfig(string user, params string[] groups) => throw new NotSupportedException("not built yet");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
