using System.CommandLine;
using Flotta.Yggdrasil.Settings;

namespace Flotta.Agent.CommandLine;

/// <summary><c>flotta-agent</c>: yggdrasil's flags and ours. Exit codes: 0 stopped as asked, 1 cannot work, 2 wrong usage.</summary>
internal static class AgentCommand
{
    private const string About = """
        The Flotta device agent: enrols this machine, runs the workloads that its server wants, and tells how they are.

        Examples:
          flotta-agent --server flotta.example.com:8043 --client-id "$(cat /etc/machine-id)" \
            --ca-root /etc/pki/consumer/ca.pem --cert-file /etc/pki/consumer/cert.pem --key-file /etc/pki/consumer/key.pem
          flotta-agent --config /etc/yggdrasil/config.toml
          flotta-agent --config ./config.toml --data-dir ./state --podman-socket /run/user/1000/podman/podman.sock --log-level debug

        Every flag but --config is also a key of config.toml; a flag wins over the file. tags.toml beside that file may name
        the namespace in which the device asks to land (namespace = "edge").
        """;

    private static readonly Option<string> Config = new("--config") { Recursive = true, Description = $"configuration file [default: {AgentOptions.DefaultConfig} if it exists]", HelpName = "FILE" };
    private static readonly Option<string> Server = new("--server") { Recursive = true, Description = "where the Edge API is", HelpName = "HOST:PORT" };
    private static readonly Option<string> ClientId = new("--client-id") { Recursive = true, Description = "the name of this device [default: from its certificate, else generated and kept]", HelpName = "ID" };
    private static readonly Option<string> CertFile = new("--cert-file") { Recursive = true, Description = "bootstrap certificate, only ever read", HelpName = "FILE" };
    private static readonly Option<string> KeyFile = new("--key-file") { Recursive = true, Description = "its key", HelpName = "FILE" };
    private static readonly Option<string[]> CaRoot = new("--ca-root") { Recursive = true, Description = "CA that signs the server's and the devices' certificates; may be given more than once", HelpName = "FILE" };
    private static readonly Option<string> PathPrefix = new("--path-prefix") { Recursive = true, Description = $"path below which the Edge API is [default: {AgentOptions.DefaultPathPrefix}]", HelpName = "PATH" };
    private static readonly Option<string> Protocol = new("--protocol") { Recursive = true, Description = "http, the only one, always over TLS", HelpName = "PROTOCOL" };
    private static readonly Option<string> DataDir = new("--data-dir") { Recursive = true, Description = $"where identity and desired state are kept [default: {AgentOptions.DefaultDataDirectory}]", HelpName = "DIR" };
    private static readonly Option<string> PodmanSocket = new("--podman-socket") { Recursive = true, Description = "podman's API [default: as --rootless says]", HelpName = "SOCKET" };
    private static readonly Option<string> Rootless = new("--rootless") { Recursive = true, Description = "containers of a user without rights: auto (if that user is there and lingers; never changed later), on or off [default: auto]", HelpName = "CHOICE" };
    private static readonly Option<string> RootlessUser = new("--rootless-user") { Recursive = true, Description = $"whose containers those are [default: {AgentOptions.DefaultRootlessUser}]", HelpName = "NAME" };
    private static readonly Option<string> Systemd = new("--systemd") { Recursive = true, Description = "units of systemd that start workloads at boot, without the agent: auto (where systemd is), on or off [default: auto]", HelpName = "CHOICE" };
    private static readonly Option<string> LogLevel = new("--log-level") { Recursive = true, Description = "error, warn, info, debug or trace [default: info]", HelpName = "LEVEL" };

    private static readonly Option<string> KeyStore = new("--key-store") { Recursive = true, Description = "where the device's own private key is kept: file, tpm (locked by the TPM at /dev/tpmrm0; needs tpm2-tools), or tpm:TCTI for another [default: file]", HelpName = "STORE" };

    private static readonly Option<bool?> Thrifty = new("--thrifty") { Recursive = true, Description = "for batteries and links that are paid by the byte: at most 60 times awake an hour and 1 MB a month, at the price of freshness", Arity = ArgumentArity.ZeroOrOne };

    // yggdrasil's own that mean something to the daemon alone: accepted everywhere, so that a command line written for it works.
    private static readonly Option<string> DataHost = new("--data-host") { Recursive = true, Description = "yggdrasil: host to use in place of those in absolute addresses", HelpName = "HOST" };
    private static readonly Option<string[]> ExcludeWorker = new("--exclude-worker") { Recursive = true, Description = "yggdrasil: a worker file not to start; may be given more than once", HelpName = "NAME" };
    private static readonly Option<string> SocketAddress = new("--socket-addr") { Recursive = true, Description = "yggdrasil: where workers attach, @name or a path [default: a random abstract one]", HelpName = "SOCKET" };

    private static readonly Option<bool> Wipe = new("--wipe") { Description = "the device's identity as well: it has to enrol anew" };

    private static readonly (Verb Verb, string Name, string About)[] Verbs =
    [
        (Verb.Yggdrasil, "yggdrasil", "Only the daemon: carries messages between the server and workers, which it starts from the folder workers beside its configuration."),
        (Verb.Plan, "plan", "Prints what the agent would do now, from the desired state on disk and what podman has; changes nothing."),
        (Verb.Decommission, "decommission", "Removes all that the agent made on this machine: pods, volumes, mounts, firewall rules and its files, but not its identity. The agent must not run."),
        (Verb.Worker, "worker", "The agent as a worker of a yggdrasil daemon, which starts it with YGG_SOCKET_ADDR and YGG_CLIENT_ID in its environment."),
    ];

    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter errors, Func<AgentOptions, Task<int>> run)
    {
        var command = new RootCommand(About)
        {
            Config, Server, ClientId, CertFile, KeyFile, CaRoot, PathPrefix, Protocol, DataDir, PodmanSocket, Rootless, RootlessUser, Systemd, LogLevel, KeyStore, Thrifty, DataHost, ExcludeWorker, SocketAddress,
        };
        command.SetAction((parsed, _) => RunAsync(parsed, Verb.Agent, errors, run));
        foreach (var (verb, name, about) in Verbs)
        {
            var one = new System.CommandLine.Command(name, about);
            if (verb == Verb.Decommission)
                one.Options.Add(Wipe);
            one.SetAction((parsed, _) => RunAsync(parsed, verb, errors, run));
            command.Subcommands.Add(one);
        }

        // No response files: a word that starts with @ is one of yggdrasil's socket addresses.
        var result = command.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Errors is [var first, ..])
            return Usage(errors, first.Message);
        // Signals are ours: the agent ends its loops before it ends.
        return await result.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
    }

    private static async Task<int> RunAsync(ParseResult parsed, Verb verb, TextWriter errors, Func<AgentOptions, Task<int>> run)
    {
        AgentOptions options;
        try
        {
            var given = parsed.GetValue(Config);
            var path = given ?? AgentOptions.DefaultConfig;
            var file = given is not null || File.Exists(path) ? ConfigFile.Read(path) : new ConfigFile();
            options = AgentOptions.From(FlagsOf(parsed, verb), file, path, verb);
        }
        catch (SettingsException exception)
        {
            return Usage(errors, exception.Message);
        }

        return await run(options);
    }

    private static Flags FlagsOf(ParseResult parsed, Verb verb) =>
        new()
        {
            Server = parsed.GetValue(Server),
            ClientId = parsed.GetValue(ClientId),
            CertFile = parsed.GetValue(CertFile),
            KeyFile = parsed.GetValue(KeyFile),
            CaRoot = parsed.GetValue(CaRoot),
            PathPrefix = parsed.GetValue(PathPrefix),
            Protocol = parsed.GetValue(Protocol),
            DataDirectory = parsed.GetValue(DataDir),
            PodmanSocket = parsed.GetValue(PodmanSocket),
            Rootless = parsed.GetValue(Rootless),
            RootlessUser = parsed.GetValue(RootlessUser),
            Systemd = parsed.GetValue(Systemd),
            LogLevel = parsed.GetValue(LogLevel),
            KeyStore = parsed.GetValue(KeyStore),
            Thrifty = parsed.GetValue(Thrifty),
            DataHost = parsed.GetValue(DataHost),
            ExcludeWorker = parsed.GetValue(ExcludeWorker),
            SocketAddress = parsed.GetValue(SocketAddress),
            Wipe = verb == Verb.Decommission && parsed.GetValue(Wipe),
        };

    private static int Usage(TextWriter errors, string problem)
    {
        errors.WriteLine($"flotta-agent: {problem}");
        errors.WriteLine("See flotta-agent --help.");
        return 2;
    }
}
