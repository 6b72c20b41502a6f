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

    private static readonly Option<string> Config = new("--config") { Description = $"configuration file [default: {AgentOptions.DefaultConfig} if it exists]", HelpName = "FILE" };
    private static readonly Option<string> Server = new("--server") { Description = "where the Edge API is", HelpName = "HOST:PORT" };
    private static readonly Option<string> ClientId = new("--client-id") { Description = "the name of this device [default: from its certificate, else generated and kept]", HelpName = "ID" };
    private static readonly Option<string> CertFile = new("--cert-file") { Description = "bootstrap certificate, only ever read", HelpName = "FILE" };
    private static readonly Option<string> KeyFile = new("--key-file") { Description = "its key", HelpName = "FILE" };
    private static readonly Option<string[]> CaRoot = new("--ca-root") { Description = "CA that signs the server's and the devices' certificates; may be given more than once", HelpName = "FILE" };
    private static readonly Option<string> PathPrefix = new("--path-prefix") { Description = $"path below which the Edge API is [default: {AgentOptions.DefaultPathPrefix}]", HelpName = "PATH" };
    private static readonly Option<string> Protocol = new("--protocol") { Description = "http, the only one, always over TLS", HelpName = "PROTOCOL" };
    private static readonly Option<string> DataDir = new("--data-dir") { Description = $"where identity and desired state are kept [default: {AgentOptions.DefaultDataDirectory}]", HelpName = "DIR" };
    private static readonly Option<string> PodmanSocket = new("--podman-socket") { Description = $"podman's API [default: {AgentOptions.DefaultPodmanSocket}]", HelpName = "SOCKET" };
    private static readonly Option<string> LogLevel = new("--log-level") { Description = "error, warn, info, debug or trace [default: info]", HelpName = "LEVEL" };

    // yggdrasil's own that mean nothing here: accepted, so that a command line written for it works.
    private static readonly Option<string> DataHost = new("--data-host") { Hidden = true };
    private static readonly Option<string[]> ExcludeWorker = new("--exclude-worker") { Hidden = true };
    private static readonly Option<string> SocketAddress = new("--socket-addr") { Hidden = true };

    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter errors, Func<AgentOptions, Task<int>> run)
    {
        var command = new RootCommand(About)
        {
            Config, Server, ClientId, CertFile, KeyFile, CaRoot, PathPrefix, Protocol, DataDir, PodmanSocket, LogLevel, DataHost, ExcludeWorker, SocketAddress,
        };
        command.SetAction((parsed, _) => RunAsync(parsed, errors, run));
        // No response files: a word that starts with @ is one of yggdrasil's socket addresses.
        var result = command.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Errors is [var first, ..])
            return Usage(errors, first.Message);
        // Signals are ours: the agent ends its loops before it ends.
        return await result.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
    }

    private static async Task<int> RunAsync(ParseResult parsed, TextWriter errors, Func<AgentOptions, Task<int>> run)
    {
        AgentOptions options;
        try
        {
            var given = parsed.GetValue(Config);
            var path = given ?? AgentOptions.DefaultConfig;
            var file = given is not null || File.Exists(path) ? ConfigFile.Read(path) : new ConfigFile();
            options = AgentOptions.From(FlagsOf(parsed), file, path);
        }
        catch (SettingsException exception)
        {
            return Usage(errors, exception.Message);
        }

        return await run(options);
    }

    private static Flags FlagsOf(ParseResult parsed) =>
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
            LogLevel = parsed.GetValue(LogLevel),
        };

    private static int Usage(TextWriter errors, string problem)
    {
        errors.WriteLine($"flotta-agent: {problem}");
        errors.WriteLine("See flotta-agent --help.");
        return 2;
    }
}
