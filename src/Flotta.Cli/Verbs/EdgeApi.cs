using System.CommandLine;
using Flotta.EdgeApi;

namespace Flotta.Cli.Verbs;

/// <summary><c>flotta edge-api</c>: one replica of the Edge API against any cluster; the original's environment variables configure it.</summary>
internal static class EdgeApi
{
    public static Command Command()
    {
        var kubeconfig = Options.Kubeconfig();
        var listen = Options.Listen();
        listen.DefaultValueFactory = _ => MetricsAddress.Default;
        var edgePort = Options.Port("--edge-port", () => EdgeApiOptions.FromEnvironment(Environment.GetEnvironmentVariable).Port, "Port of the Edge API; default from $HTTPS_PORT, else 8043");
        var metricsPort = Options.Port("--metrics-port", MetricsAddress.Port, "Port of metrics and health; default from $METRICS_ADDR, else 8080");
        var level = Options.Level();
        var command = new Command("edge-api", "Run one replica of the Edge API, which devices call, against a Kubernetes cluster.")
        {
            kubeconfig, listen, edgePort, metricsPort, level,
        };
        command.WithExamples(
            "flotta edge-api --kubeconfig ~/.kube/config --edge-port 8043",
            "DOMAIN=fleet.example.com CLIENT_CERT_EXPIRATION_DAYS=90 flotta edge-api");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var loggers = Logs.Create(parsed.GetValue(level));
            var access = KubeAccess.Load(parsed.GetValue(kubeconfig));
            var address = parsed.GetRequiredValue(listen);
            await using var metrics = await MetricsEndpoint.StartAsync(address, parsed.GetValue(metricsPort), loggers, cancellationToken);
            await Serving.UntilNothingMovesAsync(access, metrics, loggers, cancellationToken);
            await using var host = await EdgeApiHost.StartAsync(
                EdgeApiOptions.FromEnvironment(Environment.GetEnvironmentVariable) with { Listen = address, Port = parsed.GetValue(edgePort) }, access, loggers, TimeProvider.System, cancellationToken);
            metrics.Ready(() => host.NotReadyBecause);
            await parsed.InvocationConfiguration.Output.WriteLineAsync(
                $"ready edge={host.Address.GetLeftPart(UriPartial.Authority)} metrics={metrics.Address.GetLeftPart(UriPartial.Authority)}");
            await Serving.UntilAskedToStopAsync(cancellationToken);
            await host.DrainAsync();
            return 0;
        });
        return command;
    }
}
