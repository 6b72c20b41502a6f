using System.CommandLine;
using Flotta.Cli;
using Flotta.Cli.Verbs;

var root = new RootCommand("Flotta manages fleets of edge devices with Kubernetes objects, with or without a cluster.")
{
    Up.Command(),
    ApiServer.Command(),
    Operator.Command(),
    EdgeApi.Command(),
    Crds.Command(),
    Kubeconfig.Command(),
    DeviceLogs.Command(),
    Device.Command(),
    Backup.Command(),
    Backup.RestoreCommand(),
    Migrate.Command(),
    Doctor.Command(),
};
root.ShowExamplesInHelp();
return await Invocation.RunAsync(root, args);
