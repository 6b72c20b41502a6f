using Flotta.EndToEnd;

namespace Flotta.KubernetesTests;

/// <summary>For kubectl: a folder with a kubeconfig.</summary>
internal sealed class Cluster : ControlPlane
{
    public Cluster(string folder, KubeApiServer? server)
        : base(folder)
    {
        Server = server;
        if (server is not null)
            File.WriteAllText(Kubeconfig, Admin);
    }

    public KubeApiServer? Server { get; }

    public string Admin => Server!.Kubeconfig("admin", "system:masters");

    public override string EdgeServer => throw new NotSupportedException();

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
