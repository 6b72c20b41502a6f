using System.CommandLine;
using Flotta.Operator;

namespace Flotta.Cli.Verbs;

/// <summary><c>flotta operator</c>: the Operator against any cluster; the original's environment variables configure it.</summary>
internal static class Operator
{
    public static Command Command()
    {
        var kubeconfig = Options.Kubeconfig();
        var metricsPort = Options.Port("--metrics-port", MetricsAddress.Port, "Port of metrics and health; default from $METRICS_ADDR, else 8080");
        var listen = Options.Listen("Address of metrics and health; in a pod the default is every address");
        listen.DefaultValueFactory = _ => MetricsAddress.Default;
        var level = Options.Level();
        var command = new Command("operator", "Run the Operator against a Kubernetes cluster.") { kubeconfig, metricsPort, listen, level };
        command.WithExamples(
            "flotta operator --kubeconfig ~/.kube/config",
            "AUTO_APPROVAL_PROCESS=true AUTO_APPROVAL_NAMESPACES=default,shop flotta operator");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var loggers = Logs.Create(parsed.GetValue(level));
            var access = KubeAccess.Load(parsed.GetValue(kubeconfig));
            await using var metrics = await MetricsEndpoint.StartAsync(parsed.GetRequiredValue(listen), parsed.GetValue(metricsPort), loggers, cancellationToken);
            await using var host = await OperatorHost.StartAsync(OperatorOptions.FromEnvironment(Environment.GetEnvironmentVariable), access, loggers, TimeProvider.System, cancellationToken);
            metrics.Ready();
            await parsed.InvocationConfiguration.Output.WriteLineAsync($"ready metrics={metrics.Address.GetLeftPart(UriPartial.Authority)}");
            await Serving.UntilAskedToStopAsync(cancellationToken);
            return 0;
        });
        return command;
    }
}
