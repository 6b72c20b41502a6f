using Flotta.EdgeApi;
using Flotta.Kube;
using Flotta.Tests.Operator.Scenarios;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.KubernetesTests;

/// <summary>deploy/kubernetes gives each program what it needs, and nothing that it does not.</summary>
public sealed class RightsTests(RealCluster cluster)
{
    [Fact]
    public async Task The_Edge_API_serves_with_the_rights_of_its_account()
    {
        var options = new EdgeApiOptions { Listen = System.Net.IPAddress.Loopback, Port = 0, Replica = TestCluster.Unique("rights") };
        await using var host = await EdgeApiHost.StartAsync(
            options, TestCluster.Configuration(cluster.EdgeApiKubeconfig), NullLoggerFactory.Instance, TimeProvider.System, TestContext.Current.CancellationToken);
        (await host.BootstrapAsync(TestContext.Current.CancellationToken)).CertificatePem.ShouldNotBeEmpty();
        using var admin = KubeApi.Connect(TestCluster.Configuration(cluster.Kubeconfig), TimeProvider.System);
        await TestCluster.WaitAsync(
            async () => (await admin.GetAsync<V1Lease>(new("flotta", "flotta-edge-api-" + options.Replica), TestContext.Current.CancellationToken))?.Spec.HolderIdentity == options.Replica,
            () => "the replica took no Lease");
    }

    [Fact]
    public async Task The_Operator_reads_no_secrets()
    {
        using var api = KubeApi.Connect(TestCluster.Configuration(cluster.OperatorKubeconfig), TimeProvider.System);
        var refusal = await Should.ThrowAsync<KubeException>(() => api.ListAsync<V1Secret>("flotta", TestContext.Current.CancellationToken));
        refusal.StatusCode.ShouldBe(System.Net.HttpStatusCode.Forbidden);
    }
}
