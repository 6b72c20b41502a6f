using Flotta.Cli;
using Flotta.Kube;
using Flotta.Tests.Operator.Scenarios;
using k8s.Models;

namespace Flotta.Tests.Operator;

/// <summary>Gives the accounts of Operator and Edge API what `flotta up` gives them.</summary>
internal static class EmbeddedAccess
{
    public static async Task GrantAsync(string kubeconfig)
    {
        using var kube = KubeApi.Connect(TestCluster.Configuration(kubeconfig), TimeProvider.System);
        await kube.CreateAsync(new V1Namespace { ApiVersion = "v1", Kind = "Namespace", Metadata = new() { Name = "flotta" } }, CancellationToken.None);
        await Installation.GrantAsync(kube, CancellationToken.None);
    }
}
