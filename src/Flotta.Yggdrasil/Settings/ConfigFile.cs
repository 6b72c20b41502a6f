using Tomlyn.Model;

namespace Flotta.Yggdrasil.Settings;

/// <summary>yggdrasil's config.toml (and our few keys in it). A key that is absent is null; what is said on the command line wins over all of it.</summary>
public sealed record ConfigFile
{
    private static readonly string[] Ignored = ["socket-addr", "mqtt-qos"];

    public string? LogLevel { get; init; }

    public string? CertFile { get; init; }

    public string? KeyFile { get; init; }

    public IReadOnlyList<string>? CaRoot { get; init; }

    public string? PathPrefix { get; init; }

    public string? Protocol { get; init; }

    public string? Server { get; init; }

    public string? ClientId { get; init; }

    public string? DataDir { get; init; }

    public string? PodmanSocket { get; init; }

    /// <summary>auto, on or off: containers of a user without rights.</summary>
    public string? Rootless { get; init; }

    /// <summary>Whose containers they are when rootless.</summary>
    public string? RootlessUser { get; init; }

    /// <summary>auto, on or off: units that start workloads at boot.</summary>
    public string? Systemd { get; init; }

    /// <summary>Only of meaning to the daemon.</summary>
    public string? DataHost { get; init; }

    /// <summary>Only of meaning to the daemon.</summary>
    public IReadOnlyList<string>? ExcludeWorker { get; init; }

    /// <summary>file, tpm or tpm:TCTI: where the device's own private key is kept.</summary>
    public string? KeyStore { get; init; }

    public bool? Thrifty { get; init; }

    /// <summary>Keys that mean nothing to this agent: worth a warning, not a refusal.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];

    public static ConfigFile Read(string path) => From(TomlFile.Read(path), path);

    internal static ConfigFile Parse(string text, string path) => From(TomlFile.Parse(text, path), path);

    private static ConfigFile From(TomlTable table, string path)
    {
        var file = new ConfigFile();
        var unknown = new List<string>();
        foreach (var (key, value) in table)
        {
            string Text() => value as string ?? throw new SettingsException($"{path}: {key} must be a string.");
            file = key switch
            {
                "log-level" => file with { LogLevel = Text() },
                "cert-file" => file with { CertFile = Text() },
                "key-file" => file with { KeyFile = Text() },
                "ca-root" => file with { CaRoot = Texts(value, $"{path}: ca-root must be an array of strings.") },
                "path-prefix" => file with { PathPrefix = Text() },
                "protocol" => file with { Protocol = Text() },
                "server" => file with { Server = Text() },
                "client-id" => file with { ClientId = Text() },
                "data-dir" => file with { DataDir = Text() },
                "data-host" => file with { DataHost = Text() },
                "exclude-worker" => file with { ExcludeWorker = Texts(value, $"{path}: exclude-worker must be an array of strings.") },
                "podman-socket" => file with { PodmanSocket = Text() },
                "rootless" => file with { Rootless = Text() },
                "rootless-user" => file with { RootlessUser = Text() },
                "systemd" => file with { Systemd = Text() },
                "key-store" => file with { KeyStore = Text() },
                "thrifty" => file with { Thrifty = value as bool? ?? throw new SettingsException($"{path}: thrifty must be true or false.") },
                _ => file,
            };
            if (!IsKnown(key))
                unknown.Add(key);
        }

        return file with { Unknown = unknown };
    }

    private static bool IsKnown(string key) =>
        key is "log-level" or "cert-file" or "key-file" or "ca-root" or "path-prefix" or "protocol" or "server" or "client-id" or "data-dir" or "podman-socket"
            or "data-host" or "exclude-worker" or "rootless" or "rootless-user" or "systemd" or "thrifty" or "key-store"
        || Ignored.Contains(key, StringComparer.Ordinal);

    // One file may also be written without the brackets.
    private static List<string> Texts(object? value, string problem) => value switch
    {
        string one => [one],
        TomlArray many => [.. many.Select(item => item as string ?? throw new SettingsException(problem))],
        _ => throw new SettingsException(problem),
    };
}
