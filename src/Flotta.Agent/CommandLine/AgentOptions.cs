using Flotta.Yggdrasil.Settings;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;
using Choice = Flotta.Agent.Workloads.Choice;

namespace Flotta.Agent.CommandLine;

/// <summary>The ways to run.</summary>
internal enum Verb
{
    Agent,
    Yggdrasil,
    Worker,
    Plan,
    Decommission,
}

/// <summary>What the agent was told to do, after flags, config.toml and defaults have been put together.</summary>
internal sealed record AgentOptions
{
    public const string DefaultConfig = "/etc/yggdrasil/config.toml";
    public const string DefaultDataDirectory = "/var/lib/flotta-agent";
    public const string DefaultPathPrefix = "api/flotta-management/v1";
    public const string DefaultRootlessUser = "flotta";

    public Verb Verb { get; init; }

    public required string Server { get; init; }

    public string? ClientId { get; init; }

    public string? CertFile { get; init; }

    public string? KeyFile { get; init; }

    public IReadOnlyList<string> CaRoot { get; init; } = [];

    public string PathPrefix { get; init; } = DefaultPathPrefix;

    public string DataDirectory { get; init; } = DefaultDataDirectory;

    /// <summary>Null: as <see cref="Rootless"/> says.</summary>
    public string? PodmanSocket { get; init; }

    public Choice Rootless { get; init; }

    public string RootlessUser { get; init; } = DefaultRootlessUser;

    /// <summary>Units of systemd start the workloads at boot.</summary>
    public Choice Systemd { get; init; }

    public string TagsFile { get; init; } = "/etc/yggdrasil/tags.toml";

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Where config.toml is, and with it tags.toml and the folder workers.</summary>
    public string ConfigFolder { get; init; } = "/etc/yggdrasil";

    public string? DataHost { get; init; }

    public IReadOnlyList<string> ExcludedWorkers { get; init; } = [];

    public string? SocketAddress { get; init; }

    /// <summary>How the TPM is reached that locks the device's private key; null: the key is in a file, in clear.</summary>
    public string? Tpm { get; init; }

    /// <summary>Decommissioning takes the identity, too.</summary>
    public bool Wipe { get; init; }

    /// <summary>Few bytes and few times awake, at the price of freshness.</summary>
    public bool Thrifty { get; init; }

    public IReadOnlyList<string> UnknownKeys { get; init; } = [];

    /// <summary>The command line wins over the file, key by key.</summary>
    /// <exception cref="SettingsException">With a sentence for a person.</exception>
    public static AgentOptions From(Flags flags, ConfigFile file, string configPath, Verb verb = Verb.Agent)
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
        var server = flags.Server ?? file.Server ?? (verb is Verb.Worker or Verb.Plan or Verb.Decommission ? "" : throw new SettingsException("No server is given: use --server HOST:PORT, or server in config.toml."));
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(configPath))!;
        return new AgentOptions
        {
            Verb = verb,
            Server = server.Length == 0 ? server : Checked(server),
            Wipe = flags.Wipe,
            ClientId = clientId,
            CertFile = certFile,
            KeyFile = keyFile,
            CaRoot = flags.CaRoot is { Count: > 0 } roots ? roots : file.CaRoot ?? [],
            PathPrefix = flags.PathPrefix ?? file.PathPrefix ?? DefaultPathPrefix,
            DataDirectory = flags.DataDirectory ?? file.DataDir ?? DefaultDataDirectory,
            PodmanSocket = (flags.PodmanSocket ?? file.PodmanSocket) is { } socket ? Path(socket) : null,
            Rootless = Chosen(flags.Rootless ?? file.Rootless, "rootless"),
            RootlessUser = Nothing(flags.RootlessUser ?? file.RootlessUser) ?? DefaultRootlessUser,
            Systemd = Chosen(flags.Systemd ?? file.Systemd, "systemd"),
            TagsFile = System.IO.Path.Combine(folder, "tags.toml"),
            ConfigFolder = folder,
            DataHost = Nothing(flags.DataHost ?? file.DataHost),
            ExcludedWorkers = flags.ExcludeWorker is { Count: > 0 } excluded ? excluded : file.ExcludeWorker ?? [],
            SocketAddress = Nothing(flags.SocketAddress),
            LogLevel = Level(flags.LogLevel ?? file.LogLevel ?? "info"),
            Tpm = KeyStore(flags.KeyStore ?? file.KeyStore, verb),
            Thrifty = flags.Thrifty ?? file.Thrifty ?? false,
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

    private static string? KeyStore(string? word, Verb verb) => word switch
    {
        null or "file" => null,
        _ when verb is Verb.Yggdrasil or Verb.Worker => throw new SettingsException("key-store can only be file here: a daemon of yggdrasil reads its key from key-file."),
        "tpm" => Identities.Tpm.OfThisMachine,
        ['t', 'p', 'm', ':', _, ..] => word["tpm:".Length..],
        _ => throw new SettingsException($"key-store is \"{word}\", which is none of file, tpm, tpm:TCTI."),
    };

    private static string Path(string socket) => socket.StartsWith("unix://", StringComparison.Ordinal) ? socket["unix://".Length..] : socket;

    private static string? Nothing(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static Choice Chosen(string? word, string what) => word switch
    {
        null or "auto" => Choice.Auto,
        "on" => Choice.On,
        "off" => Choice.Off,
        _ => throw new SettingsException($"{what} is \"{word}\", which is none of auto, on, off."),
    };

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

    public string? Rootless { get; init; }

    public string? RootlessUser { get; init; }

    public string? Systemd { get; init; }

    public string? LogLevel { get; init; }

    public string? DataHost { get; init; }

    public IReadOnlyList<string>? ExcludeWorker { get; init; }

    public string? SocketAddress { get; init; }

    public string? KeyStore { get; init; }

    public bool? Thrifty { get; init; }

    public bool Wipe { get; init; }
}
