using System.CommandLine;
using Flotta.ApiServer;

namespace Flotta.Cli.Verbs;

/// <summary><c>flotta api-server</c>: the embedded API server alone.</summary>
internal static class ApiServer
{
    public static Command Command()
    {
        var dataDirectory = Options.DataDirectory();
        var listen = Options.Listen();
        var port = Options.Port("--kube-port", 6443, "Port of the Kubernetes API");
        var level = Options.Level();
        var command = new Command("api-server", "Run only the embedded Kubernetes-style API server.") { dataDirectory, listen, port, level };
        command.WithExamples(
            "flotta api-server --data-dir ./state",
            "flotta crds | kubectl --kubeconfig ./state/kubeconfig apply -f -");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var data = DataDirectory.Open(parsed.GetRequiredValue(dataDirectory));
            using var loggers = Logs.Create(parsed.GetValue(level));
            await using var server = await EmbeddedApiServer.StartAsync(
                new() { DataDirectory = data.Path, Listen = parsed.GetRequiredValue(listen), Port = parsed.GetValue(port), Checks = EmbeddedChecks.All },
                loggers, TimeProvider.System, cancellationToken);
            var kubeconfig = data.Write("kubeconfig", server.Kubeconfig("flotta-admin", "system:masters"));
            await parsed.InvocationConfiguration.Output.WriteLineAsync($"ready kube={server.Address.GetLeftPart(UriPartial.Authority)} kubeconfig={kubeconfig}");
            await Serving.UntilAskedToStopAsync(cancellationToken);
            return 0;
        });
        return command;
    }
}
