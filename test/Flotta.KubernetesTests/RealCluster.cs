using Flotta.KubernetesTests;

[assembly: AssemblyFixture(typeof(RealCluster))]

namespace Flotta.KubernetesTests;

/// <summary>The one API server that all tests here share; they keep apart by namespaces. Without KUBEBUILDER_ASSETS each test says that it is skipped.</summary>
public sealed class RealCluster : IAsyncLifetime
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

    public async ValueTask InitializeAsync()
    {
        if (KubeApiServer.Missing is null) server = await KubeApiServer.StartAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }
}
