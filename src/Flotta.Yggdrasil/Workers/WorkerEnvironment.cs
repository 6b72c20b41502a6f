using Flotta.Yggdrasil.Grpc;

namespace Flotta.Yggdrasil.Workers;

/// <summary>All that a worker has in its environment: nothing is inherited but the proxies.</summary>
public static class WorkerEnvironment
{
    private static readonly string[] Proxies = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

    public static IReadOnlyDictionary<string, string> Of(WorkerFile file, SocketAddress dispatcher, string configFolder, string logLevel, string clientId, Func<string, string?> own)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ["YGG_CONFIG_DIR"] = configFolder,
            ["YGG_LOG_LEVEL"] = logLevel.ToUpperInvariant(),
            ["YGG_CLIENT_ID"] = clientId,
            ["YGG_SOCKET_ADDR"] = dispatcher.WithScheme,
        };
        foreach (var proxy in Proxies)
        {
            if (own(proxy) is { Length: > 0 } value)
                environment[proxy] = value;
        }

        foreach (var (name, value) in file.Environment)
            environment[name] = value;
        return environment;
    }
}
