using Flotta.Operator;
using Flotta.Resources;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Operator.Scenarios;

/// <summary>Of several Operators one works. Here they approve different namespaces, so that what is approved tells which one it was.</summary>
public abstract class LeadershipScenarios(ITestServer server)
{
    [Fact]
    public async Task The_second_replica_waits_and_takes_over_what_it_did_not_see_happen()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.StopOperatorAsync();
        var (firsts, seconds) = (cluster.Namespace, TestCluster.Unique("second"));
        await cluster.CreateNamespaceAsync(seconds);
        var first = await StartAsync(firsts);
        var one = TestCluster.Unique("one");
        await cluster.CreateRequestAsync(one, firsts);
        await cluster.RequestAsync(one, IsApproved);

        await using var second = await StartAsync(seconds);
        var two = TestCluster.Unique("two");
        await cluster.CreateRequestAsync(two, seconds);
        await cluster.RequestAsync(two, request => request.Status?.Conditions.Any(condition => condition is { Type: "pending", Status: "True" }) == true);

        await first.DisposeAsync();
        await cluster.RequestAsync(two, IsApproved);
    }

    private Task<OperatorHost> StartAsync(string approves) => OperatorHost.StartAsync(
        new() { LeaderElect = true, AutoApproval = true, AutoApprovalNamespaces = [approves] },
        TestCluster.Configuration(server.OperatorKubeconfig),
        NullLoggerFactory.Instance,
        TimeProvider.System,
        TestContext.Current.CancellationToken);

    private static bool IsApproved(EdgeDeviceSignedRequest request) =>
        request.Status?.Conditions.Any(condition => condition is { Type: "approved", Status: "True" }) == true;
}
