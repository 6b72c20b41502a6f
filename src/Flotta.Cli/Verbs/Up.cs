using System.CommandLine;
using System.Net;
using Flotta.ApiServer;
using Flotta.EdgeApi;
using Flotta.Kube;
using Flotta.Operator;
using Flotta.Resources;
using Microsoft.Extensions.Logging;

namespace Flotta.Cli.Verbs;

/// <summary><c>flotta up</c>: embedded API server, Operator and Edge API in one process. Each role has an account and a client certificate of its own, with the rights that deploy/kubernetes gives it, and knows only the Kubernetes API, whose requests do not leave the process.</summary>
internal static class Up
{
    private sealed record Settings(string DataDirectory, IPAddress Listen, int KubePort, int EdgePort, int MetricsPort, bool AutoApprove, LogLevel? Level);

    public static Command Command()
    {
        var dataDirectory = Options.DataDirectory();
        var listen = Options.Listen("Address to serve the Kubernetes API and the Edge API on (metrics stay on loopback)");
        var kubePort = Options.Port("--kube-port", 6443, "Port of the Kubernetes API");
        var edgePort = Options.Port("--edge-port", 8043, "Port of the Edge API, which devices call");
        var metricsPort = Options.Port("--metrics-port", 8080, "Port of metrics and health, loopback only");
        var autoApprove = new Option<bool>("--auto-approve") { Description = "Let every device that shows the bootstrap certificate into the namespace default" };
        var level = Options.Level();
        var command = new Command("up", "Run the whole control plane in one process, with an embedded store and no cluster.")
        {
            dataDirectory, listen, kubePort, edgePort, metricsPort, autoApprove, level,
        };
        command.WithExamples(
            "flotta up --data-dir /var/lib/flotta",
            "flotta up --data-dir ./state --listen 0.0.0.0 --kube-port 6443 --edge-port 8043",
            "kubectl --kubeconfig /var/lib/flotta/kubeconfig get edgedevices");
        command.SetAction((parsed, cancellationToken) => RunAsync(
            new Settings(
                parsed.GetRequiredValue(dataDirectory),
                parsed.GetRequiredValue(listen),
                parsed.GetValue(kubePort),
                parsed.GetValue(edgePort),
                parsed.GetValue(metricsPort),
                parsed.GetValue(autoApprove),
                parsed.GetValue(level)),
            parsed.InvocationConfiguration.Output,
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Settings settings, TextWriter output, CancellationToken cancellationToken)
    {
        var data = DataDirectory.Open(settings.DataDirectory);
        Moving.Journal.RefuseWhereMoved(data.Path);
        using var loggers = Logs.Create(settings.Level);
        var time = TimeProvider.System;

        await using var metrics = await MetricsEndpoint.StartAsync(IPAddress.Loopback, settings.MetricsPort, loggers, cancellationToken);
        await using var server = await EmbeddedApiServer.StartAsync(
            new() { DataDirectory = data.Path, Listen = settings.Listen, Port = settings.KubePort, Checks = EmbeddedChecks.All }, loggers, time, cancellationToken);
        var kubeconfig = data.Write("kubeconfig", server.Kubeconfig("flotta-admin", "system:masters"));

        using (var kube = KubeApi.Connect(KubeAccess.Parse(server.Kubeconfig("flotta-installer", "system:masters")), time))
            await Installation.ApplyAsync(kube, cancellationToken);

        var operatorOptions = OperatorOptions.FromEnvironment(Environment.GetEnvironmentVariable);
        if (settings.AutoApprove)
            operatorOptions = operatorOptions with { AutoApproval = true };
        await using var @operator = await OperatorHost.StartAsync(
            operatorOptions, Inside(server, AccessManifests.OperatorAccount), loggers, time, cancellationToken);
        await using var edge = await EdgeApiHost.StartAsync(
            EdgeApiOptions.FromEnvironment(Environment.GetEnvironmentVariable) with { Listen = settings.Listen, Port = settings.EdgePort, BesideApiServer = true },
            Inside(server, AccessManifests.EdgeApiAccount), loggers, time, cancellationToken);

        var bootstrap = await edge.BootstrapAsync(cancellationToken);
        data.Write("bootstrap/ca.pem", bootstrap.CaPem);
        data.Write("bootstrap/cert.pem", bootstrap.CertificatePem);
        data.Write("bootstrap/key.pem", bootstrap.KeyPem);

        metrics.Ready(() => edge.NotReadyBecause);
        await output.WriteLineAsync($"ready kube={Plain(server.Address)} edge={Plain(edge.Address)} metrics={Plain(metrics.Address)} kubeconfig={kubeconfig}");
        await output.FlushAsync(cancellationToken);
        await Serving.UntilAskedToStopAsync(cancellationToken);
        return 0;
    }

    private static InProcessAccess Inside(EmbeddedApiServer server, string account) => new(server.Address, server.AccountHandler(AccessManifests.Namespace, account));

    private static string Plain(Uri address) => address.GetLeftPart(UriPartial.Authority);
}
