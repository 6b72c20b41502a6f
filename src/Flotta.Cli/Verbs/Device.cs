using System.CommandLine;
using System.Text.RegularExpressions;
using Flotta.Cli.Devices;

namespace Flotta.Cli.Verbs;

/// <summary><c>flotta device</c>: what a person does for a new device.</summary>
internal static partial class Device
{
    public static Command Command() => new("device", "Help with devices.") { InstallScriptCommand() };

    private static Command InstallScriptCommand()
    {
        var dataDirectory = Options.DataDirectory();
        var server = new Option<string>("--server") { Description = "Edge API as devices reach it", HelpName = "HOST:PORT", Required = true };
        server.Validators.Add(result => Check(result, Address(), "HOST:PORT, such as flotta.example.com:8043"));
        var id = new Option<string?>("--client-id") { Description = "Name of the device; default: made up on the device", HelpName = "ID" };
        id.Validators.Add(result => Check(result, Name(), "lower-case letters, digits, '-' and '.'"));
        var package = new Option<string[]>("--package") { Description = "Package of the agent to put in, a .deb or .rpm of `make package`; may be repeated, one for each kind of machine", HelpName = "FILE", DefaultValueFactory = _ => [] };
        var command = new Command("install-script", "Write DIR/bootstrap/install.sh, which makes a machine a device, and print the one line that runs it there.")
        {
            dataDirectory, server, id, package,
        };
        command.WithExamples(
            "flotta device install-script --data-dir /var/lib/flotta --server flotta.example.com:8043 --package flotta-agent_0.3.0_arm64.deb",
            "flotta device install-script --data-dir /var/lib/flotta --server 10.0.0.7:8043 --client-id till-07");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var folder = DataDirectory.Open(parsed.GetRequiredValue(dataDirectory));
            Task<string> Pem(string name) => ReadAsync(Path.Combine(folder.Path, "bootstrap", name + ".pem"), cancellationToken);
            var ca = await Pem("ca");
            var packages = new List<AgentPackage>();
            foreach (var file in parsed.GetRequiredValue(package))
                packages.Add(await PackageAsync(file, cancellationToken));
            var written = folder.Write("bootstrap/install.sh", InstallScript.Of(ca, await Pem("cert"), await Pem("key"), packages));
            await parsed.InvocationConfiguration.Output.WriteLineAsync(InstallScript.Line(parsed.GetRequiredValue(server), InstallScript.Fingerprint(ca), parsed.GetValue(id), written));
            return 0;
        });
        return command;
    }

    private static void Check(System.CommandLine.Parsing.OptionResult result, Regex form, string wanted)
    {
        if (result.Tokens.Count > 0 && !form.IsMatch(result.Tokens[0].Value))
            result.AddError($"{result.Option.Name} takes {wanted}, not '{result.Tokens[0].Value}'.");
    }

    private static async Task<string> ReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllTextAsync(file, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FailureException($"{file} cannot be read ({exception.Message.TrimEnd('.')}); `flotta up --data-dir DIR` writes it when it starts.", exception);
        }
    }

    private static async Task<AgentPackage> PackageAsync(string file, CancellationToken cancellationToken)
    {
        if (AgentPackage.KindOf(file) is not { } kind || !Kind().IsMatch(kind))
            throw new FailureException($"{file} is not named like a package: flotta-agent_VERSION_ARCHITECTURE.deb or flotta-agent-VERSION.ARCHITECTURE.rpm.");
        try
        {
            return new AgentPackage(kind, await File.ReadAllBytesAsync(file, cancellationToken));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FailureException($"{file} cannot be read ({exception.Message.TrimEnd('.')}).", exception);
        }
    }

    [GeneratedRegex(@"^([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Address();

    [GeneratedRegex("^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Name();

    [GeneratedRegex("^(deb|rpm)_[a-z0-9_]+$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Kind();
}
