using System.CommandLine;
using Flotta.Cli.Moving;
using Microsoft.Extensions.Logging;

namespace Flotta.Cli.Verbs;

/// <summary><c>flotta migrate</c>: an embedded installation moves into a cluster, and its devices notice nothing.</summary>
internal static class Migrate
{
    public static Command Command()
    {
        var dataDirectory = Options.DataDirectory();
        dataDirectory.Description = "Folder of the embedded installation; 'flotta up' must have been stopped";
        var to = new Option<string>("--to") { Description = "The cluster to move to, as an administrator of it", HelpName = "KUBECONFIG", Required = true };
        var (dryRun, keep) = (DryRun(), KeepDiffering());
        var command = new Command("migrate", "Copy an embedded installation into a Kubernetes cluster: objects with status, certificates, what workloads use, people's roles.") { dataDirectory, to, dryRun, keep };
        command.WithExamples(
            "flotta migrate --data-dir /var/lib/flotta --to ~/.kube/config --dry-run",
            "flotta migrate --data-dir /var/lib/flotta --to ~/.kube/config");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var loggers = Logs.Create(LogLevel.Warning);
            var options = new MoveOptions(Everything: true, parsed.GetValue(dryRun), parsed.GetValue(keep));
            var (output, said) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            return await Sides.ToClusterAsync(parsed.GetRequiredValue(dataDirectory), parsed.GetRequiredValue(to), options, output, said, loggers, cancellationToken) ? 0 : 1;
        });
        return command;
    }

    public static Option<bool> DryRun() => new("--dry-run") { Description = "Print what would be done with each object, and do nothing" };

    public static Option<bool> KeepDiffering() => new("--keep-differing") { Description = "What is on the other side under the same name with another content stays so, and counts as moved" };
}
