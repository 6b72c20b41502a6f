using Flotta.ApiServer;
using Flotta.Kube;
using Flotta.Resources;
using Microsoft.Extensions.Logging;

namespace Flotta.Cli.Moving;

/// <summary>
/// The two sides of a move. The embedded one is served by this very process, to itself: the lock of its data directory keeps everybody else away, so that nothing
/// changes under the copy. In the cluster a Lease keeps Operator and Edge API from beginning.
/// </summary>
internal static class Sides
{
    public static async Task<bool> ToClusterAsync(string folder, string kubeconfig, MoveOptions options, TextWriter output, TextWriter said, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(folder, "flotta.db")))
            throw new FailureException($"there is no embedded installation in {Path.GetFullPath(folder)}; name its folder with --data-dir.");
        var time = TimeProvider.System;
        void Tell(string line) => said.WriteLine(line);
        using var journal = Journal.Read(folder, Journal.ToCluster);
        if (journal.IsFinished)
        {
            await output.WriteLineAsync($"already done: {journal.Header}; nothing was changed");
            return true;
        }

        await using var server = await ServeAsync(folder, loggers, cancellationToken);
        using var here = Connect(server);
        var access = KubeAccess.Load(kubeconfig);
        using var cluster = KubeApi.Connect(access, time);
        if (await Pause.HasWebhooksAsync(cluster, cancellationToken))
        {
            throw new FailureException(
                "the cluster asks Flotta's webhooks before it takes an object, and while nothing of Flotta runs there nobody answers: "
                + "kubectl delete validatingwebhookconfiguration flotta-validating-webhook-configuration, and apply deploy/kubernetes again when this is done.");
        }

        await Pause.NobodyWorksAsync(cluster, Tell, time, cancellationToken);
        if (!options.DryRun)
        {
            journal.Begin($"to {access.Host} {await IdentityAsync(cluster, cancellationToken)}");
            await Installation.NamespacesAsync(cluster, cancellationToken);
            await Pause.TakeAsync(cluster, Holder("flotta migrate", journal), cancellationToken);
            // Who began before the Lease was there is seen now.
            await Pause.NobodyWorksAsync(cluster, Tell, time, cancellationToken);
            await Installation.DefineAsync(cluster, cancellationToken);
        }

        var all = await new Move(here, cluster, options, journal, output, Tell, time).RunAsync(cancellationToken);
        if (options.DryRun)
            return all;
        if (!all)
            throw new FailureException("not everything is there as it is here. Operator and Edge API of the cluster wait until it is: mend what is named above and run this again, or with --keep-differing to leave such objects as they are there.");
        journal.Finish();
        await Pause.ReleaseAsync(cluster, cancellationToken);
        await output.WriteLineAsync("moved. Start Operator and Edge API in the cluster on the address that the devices call; 'flotta up' no longer starts here. People need access of the cluster's own: roles and bindings have moved, tokens and certificates have not.");
        return true;
    }

    public static async Task<bool> FromClusterAsync(string folder, string kubeconfig, MoveOptions options, TextWriter output, TextWriter said, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        void Tell(string line) => said.WriteLine(line);
        var access = KubeAccess.Load(kubeconfig);
        using var cluster = KubeApi.Connect(access, time);
        // Looking must leave nothing behind.
        var trial = options.DryRun && !Directory.Exists(folder) ? Directory.CreateTempSubdirectory("flotta-dry-run-") : null;
        try
        {
            await using var server = await ServeAsync(trial?.FullName ?? folder, loggers, cancellationToken);
            using var here = Connect(server);
            using var journal = Journal.Read(trial?.FullName ?? folder, Journal.FromCluster);
            await Pause.NobodyWorksAsync(cluster, Tell, time, cancellationToken);
            if (!options.DryRun)
            {
                journal.Begin($"from {access.Host} {await IdentityAsync(cluster, cancellationToken)}");
                await Pause.TakeAsync(cluster, Holder("flotta restore", journal), cancellationToken);
                await Pause.NobodyWorksAsync(cluster, Tell, time, cancellationToken);
                await Installation.ApplyAsync(here, cancellationToken);
            }

            var all = await new Move(cluster, here, options, journal, output, Tell, time).RunAsync(cancellationToken);
            if (options.DryRun)
                return all;
            if (!all)
                throw new FailureException("not everything is here as it is in the cluster: mend what is named above and run this again, or with --keep-differing to leave such objects as they are here.");
            journal.Forget();
            Journal.Read(folder, Journal.ToCluster).Forget();
            await output.WriteLineAsync($"restored. 'flotta up --data-dir {folder}' serves it. Operator and Edge API of the cluster do not begin again before: kubectl -n flotta delete lease {Pause.Name}");
            return true;
        }
        finally
        {
            trial?.Delete(recursive: true);
        }
    }

    private static Task<EmbeddedApiServer> ServeAsync(string folder, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        EmbeddedApiServer.StartAsync(new() { DataDirectory = folder, Port = 0 }, loggers, TimeProvider.System, cancellationToken);

    private static KubeApi Connect(EmbeddedApiServer server) => KubeApi.Connect(KubeAccess.Parse(server.Kubeconfig("flotta-mover", "system:masters")), TimeProvider.System);

    private static string Holder(string what, Journal journal) => $"{what} on {Environment.MachineName}, {journal.Header[(journal.Header.LastIndexOf(' ') + 1)..]}";

    // A namespace that every cluster has from its first moment on, and that cannot be made anew.
    private static async Task<string> IdentityAsync(KubeApi cluster, CancellationToken cancellationToken) =>
        await cluster.DocumentAsync(MovedKind.Namespaces.Resource, new("", Names.EnrolmentNamespace), cancellationToken) is { } one ? Document.Text(one["metadata"]?["uid"]) : "unknown";
}
