using Flotta.KubernetesTests;
using Flotta.Tests.Operator.Scenarios;

[assembly: AssemblyFixture(typeof(RealCluster))]

namespace Flotta.KubernetesTests;

/// <summary>
/// The one API server that all tests here share, with deploy/kubernetes applied; they keep apart by namespaces. Without KUBEBUILDER_ASSETS
/// each test says that it is skipped.
/// </summary>
public sealed class RealCluster : ITestServer, IAsyncLifetime
{
    private KubeApiServer? server;

    public KubeApiServer Server
    {
        get
        {
            Assert.SkipWhen(KubeApiServer.Missing is not null, KubeApiServer.Missing ?? "");
            return server!;
        }
    }

    public string Kubeconfig => Server.Kubeconfig("admin", "system:masters");

    /// <summary>For RBAC a service account is a user of this name; a certificate says it as well as a token.</summary>
    public string OperatorKubeconfig => AccountKubeconfig("flotta-controller-manager");

    public string EdgeApiKubeconfig => AccountKubeconfig("flotta-edge-api");

    public async ValueTask InitializeAsync()
    {
        if (KubeApiServer.Missing is not null) return;
        server = await KubeApiServer.StartAsync(CancellationToken.None);
        await Deployment.ApplyAsync(server.Kubeconfig("admin", "system:masters"), CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }

    private string AccountKubeconfig(string account) =>
        Server.Kubeconfig("system:serviceaccount:flotta:" + account, "system:serviceaccounts", "system:serviceaccounts:flotta", "system:authenticated");
}
