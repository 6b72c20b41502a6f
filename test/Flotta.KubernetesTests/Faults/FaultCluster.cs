using Flotta.EndToEnd;
using Flotta.Resources;

namespace Flotta.KubernetesTests.Faults;

/// <summary>A kube-apiserver and etcd to break: of the tests in this folder, which take turns. The others keep theirs whole.</summary>
public sealed class FaultCluster : IAsyncLifetime
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

    public async ValueTask InitializeAsync()
    {
        if (KubeApiServer.Missing is not null) return;
        server = await KubeApiServer.StartAsync(CancellationToken.None);
        await Deployment.ApplyAsync(Kubeconfig, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }
}

[CollectionDefinition("faults")]
public sealed class Faults : ICollectionFixture<FaultCluster>;
