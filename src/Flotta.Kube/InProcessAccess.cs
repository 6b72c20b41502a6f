using k8s;

namespace Flotta.Kube;

/// <summary>The way to an API server in this process: the same requests, and no network, TLS or framing between.</summary>
public sealed class InProcessAccess : KubernetesClientConfiguration
{
    /// <param name="server">Its address as others know it, for messages.</param>
    /// <param name="handler">Answers requests on behalf of one account.</param>
    public InProcessAccess(Uri server, HttpMessageHandler handler)
    {
        ArgumentNullException.ThrowIfNull(server);
        Host = server.AbsoluteUri;
        Handler = handler;
    }

    internal HttpMessageHandler Handler { get; }
}
