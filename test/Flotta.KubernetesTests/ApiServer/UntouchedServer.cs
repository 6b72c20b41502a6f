namespace Flotta.KubernetesTests.ApiServer;

/// <summary>A kube-apiserver that only the scripts touch: lists over all namespaces show what a script made, and nothing of another test that runs beside it.</summary>
public sealed class UntouchedServer : IAsyncLifetime
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
