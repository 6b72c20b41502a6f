using Flotta.Yggdrasil.Settings;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.CommandLine;

/// <summary>What the agent was told to do, after flags, config.toml and defaults have been put together.</summary>
internal sealed record AgentOptions
{
    public const string DefaultConfig = "/etc/yggdrasil/config.toml";
    public const string DefaultDataDirectory = "/var/lib/flotta-agent";
    public const string DefaultPathPrefix = "api/flotta-management/v1";
    public const string DefaultPodmanSocket = "/run/podman/podman.sock";

    public required string Server { get; init; }

    public string? ClientId { get; init; }

    public string? CertFile { get; init; }

    public string? KeyFile { get; init; }

    public IReadOnlyList<string> CaRoot { get; init; } = [];

    public string PathPrefix { get; init; } = DefaultPathPrefix;

    public string DataDirectory { get; init; } = DefaultDataDirectory;

    public string PodmanSocket { get; init; } = DefaultPodmanSocket;

    public string TagsFile { get; init; } = "/etc/yggdrasil/tags.toml";

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    public IReadOnlyList<string> UnknownKeys { get; init; } = [];

    /// <summary>The command line wins over the file, key by key.</summary>
    /// <exception cref="SettingsException">With a sentence for a person.</exception>
    public static AgentOptions From(Flags flags, ConfigFile file, string configPath)
    {
        var protocol = flags.Protocol ?? file.Protocol ?? "http";
        if (protocol is not ("http" or "https"))
            throw new SettingsException($"The protocol \"{protocol}\" is not served; this agent speaks http (over TLS).");
        var certFile = flags.CertFile ?? file.CertFile;
        var keyFile = flags.KeyFile ?? file.KeyFile;
        if (certFile is null != (keyFile is null))
            throw new SettingsException("cert-file and key-file are only of use together.");
        var clientId = Nothing(flags.ClientId ?? file.ClientId);
        if (clientId is not null && !Identities.ClientId.IsValid(clientId))
            throw new SettingsException($"The client-id \"{clientId}\" must be lower-case letters, digits, '-' and '.', as Kubernetes wants it.");
        var server = flags.Server ?? file.Server ?? throw new SettingsException("No server is given: use --server HOST:PORT, or server in config.toml.");
        return new AgentOptions
        {
            Server = Checked(server),
            ClientId = clientId,
            CertFile = certFile,
            KeyFile = keyFile,
            CaRoot = flags.CaRoot is { Count: > 0 } roots ? roots : file.CaRoot ?? [],
            PathPrefix = flags.PathPrefix ?? file.PathPrefix ?? DefaultPathPrefix,
            DataDirectory = flags.DataDirectory ?? file.DataDir ?? DefaultDataDirectory,
            PodmanSocket = Path(flags.PodmanSocket ?? file.PodmanSocket ?? DefaultPodmanSocket),
            TagsFile = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(configPath))!, "tags.toml"),
            LogLevel = Level(flags.LogLevel ?? file.LogLevel ?? "info"),
            UnknownKeys = file.Unknown,
        };
    }

    private static string Checked(string server)
    {
        try
        {
            return new ServerAddress(server, "", "device").Server;
        }
        catch (FormatException exception)
        {
            throw new SettingsException(exception.Message, exception);
        }
    }

    private static string Path(string socket) => socket.StartsWith("unix://", StringComparison.Ordinal) ? socket["unix://".Length..] : socket;

    private static string? Nothing(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static LogLevel Level(string word) => word.ToUpperInvariant() switch
    {
        "ERROR" => LogLevel.Error,
        "WARN" or "WARNING" => LogLevel.Warning,
        "INFO" => LogLevel.Information,
        "DEBUG" => LogLevel.Debug,
        "TRACE" => LogLevel.Trace,
        _ => throw new SettingsException($"The log level \"{word}\" is none of error, warn, info, debug, trace."),
    };
}

/// <summary>The command line as it was given; null is "not given".</summary>
internal sealed record Flags
{
    public string? Server { get; init; }

    public string? ClientId { get; init; }

    public string? CertFile { get; init; }

    public string? KeyFile { get; init; }

    public IReadOnlyList<string>? CaRoot { get; init; }

    public string? PathPrefix { get; init; }

    public string? Protocol { get; init; }

    public string? DataDirectory { get; init; }

    public string? PodmanSocket { get; init; }

    public string? LogLevel { get; init; }
}
