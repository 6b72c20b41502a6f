using System.Net;
using k8s;

namespace Flotta.Cli;

/// <summary>The original's METRICS_ADDR, such as <c>:8080</c>.</summary>
internal static class MetricsAddress
{
    /// <summary>In a pod the kubelet and Prometheus come from outside; elsewhere nobody should.</summary>
    public static IPAddress Default => KubernetesClientConfiguration.IsInCluster() ? IPAddress.Any : IPAddress.Loopback;

    public static int Port()
    {
        var value = Environment.GetEnvironmentVariable("METRICS_ADDR");
        if (string.IsNullOrEmpty(value))
            return 8080;
        return int.TryParse(value.AsSpan(value.LastIndexOf(':') + 1), out var port) && port is >= 0 and <= IPEndPoint.MaxPort
            ? port
            : throw new FailureException($"METRICS_ADDR is '{value}'; it takes an address with a port, such as :8080.");
    }
}
