using System.CommandLine;
using Flotta.Cli.Moving;

namespace Flotta.Cli.Verbs;

/// <summary><c>flotta backup</c> and <c>flotta restore</c>: all that the embedded API server keeps, in one file and back.</summary>
internal static class Backup
{
    public static Command Command()
    {
        var file = new Argument<string>("FILE") { Description = "Where the backup goes; replaced whole when it exists. It holds secrets and keys: only you may read it" };
        var dataDirectory = Options.DataDirectory();
        var command = new Command("backup", "Write all that the embedded API server keeps into one file, also while it runs.") { file, dataDirectory };
        command.WithExamples("flotta backup /var/backups/flotta.db --data-dir /var/lib/flotta");
        command.SetAction(parsed =>
        {
            var written = Flotta.ApiServer.Backup.Write(parsed.GetRequiredValue(dataDirectory), parsed.GetRequiredValue(file));
            parsed.InvocationConfiguration.Output.WriteLine($"{parsed.GetRequiredValue(file)} holds {written} objects");
        });
        return command;
    }

    public static Command RestoreCommand()
    {
        var file = new Argument<string?>("FILE") { Description = "The backup", Arity = ArgumentArity.ZeroOrOne };
        var from = new Option<string?>("--from") { Description = "Instead of a backup: the cluster whose Flotta objects are brought here", HelpName = "KUBECONFIG" };
        var dryRun = Migrate.DryRun();
        var keep = Migrate.KeepDiffering();
        var dataDirectory = Options.DataDirectory();
        var command = new Command("restore", "Put a backup, or the Flotta objects of a cluster, into the embedded API server; it must not be running.") { file, dataDirectory, from, dryRun, keep };
        command.WithExamples(
            "flotta restore /var/backups/flotta.db --data-dir /var/lib/flotta",
            "flotta restore --from ~/.kube/config --data-dir /var/lib/flotta --dry-run");
        command.Validators.Add(result =>
        {
            if (result.GetValue(file) is null == result.GetValue(from) is null)
                result.AddError("name a backup FILE, or a cluster with --from KUBECONFIG.");
            else if (result.GetValue(from) is null && (result.GetValue(dryRun) || result.GetValue(keep)))
                result.AddError("--dry-run and --keep-differing go with --from.");
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var folder = parsed.GetRequiredValue(dataDirectory);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(from) is { } kubeconfig)
            {
                using var loggers = Logs.Create(Microsoft.Extensions.Logging.LogLevel.Warning);
                var options = new MoveOptions(Everything: false, parsed.GetValue(dryRun), parsed.GetValue(keep));
                return await Sides.FromClusterAsync(folder, kubeconfig, options, output, parsed.InvocationConfiguration.Error, loggers, cancellationToken) ? 0 : 1;
            }

            var (objects, kept) = Flotta.ApiServer.Backup.Restore(parsed.GetValue(file)!, folder);
            await output.WriteLineAsync($"{folder} holds {objects} objects{(kept is null ? "" : $"; what it held before is in {kept}")}");
            return 0;
        });
        return command;
    }
}
