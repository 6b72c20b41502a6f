using System.CommandLine;
using System.Net;
using Flotta.Operator;
using Flotta.Operator.Admission;
using k8s;

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
        var webhookPort = new Option<int?>("--webhook-port") { Description = "Port of the admission webhooks; default in a pod: $WEBHOOK_PORT, else 9443; elsewhere none are served without it; 0 picks a free one", HelpName = "PORT" };
        var level = Options.Level();
        var command = new Command("operator", "Run the Operator against a Kubernetes cluster.") { kubeconfig, metricsPort, webhookPort, listen, level };
        command.WithExamples(
            "flotta operator --kubeconfig ~/.kube/config",
            "AUTO_APPROVAL_PROCESS=true AUTO_APPROVAL_NAMESPACES=default,shop flotta operator");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var loggers = Logs.Create(parsed.GetValue(level));
            var access = KubeAccess.Load(parsed.GetValue(kubeconfig));
            await using var metrics = await MetricsEndpoint.StartAsync(parsed.GetRequiredValue(listen), parsed.GetValue(metricsPort), loggers, cancellationToken);
            var options = OperatorOptions.FromEnvironment(Environment.GetEnvironmentVariable);
            await Serving.UntilNothingMovesAsync(access, metrics, loggers, cancellationToken);
            // First, because the Operator's own writes are asked about too.
            await using var webhooks = Webhooks(options, parsed.GetValue(webhookPort), parsed.GetRequiredValue(listen)) is { } wanted
                ? await WebhookHost.StartAsync(wanted, access, loggers, TimeProvider.System, cancellationToken)
                : null;
            await using var host = await OperatorHost.StartAsync(options, access, loggers, TimeProvider.System, cancellationToken);
            metrics.Ready();
            await parsed.InvocationConfiguration.Output.WriteLineAsync(
                $"ready metrics={metrics.Address.GetLeftPart(UriPartial.Authority)}{(webhooks is null ? "" : $" webhooks={webhooks.Port}")}");
            await Serving.UntilAskedToStopAsync(cancellationToken);
            return 0;
        });
        return command;
    }

    /// <summary>In a pod as the original's variables say. Elsewhere a cluster has no way to us, unless somebody says that it has.</summary>
    private static WebhookOptions? Webhooks(OperatorOptions options, int? port, IPAddress listen) =>
        options.EnableWebhooks && (port is not null || KubernetesClientConfiguration.IsInCluster())
            ? new() { Listen = listen, Port = port ?? options.WebhookPort, Namespace = options.OperatorNamespace, SelfManaged = options.SelfManagedCertificates }
            : null;
}
