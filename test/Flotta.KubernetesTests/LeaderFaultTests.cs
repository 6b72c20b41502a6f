using System.Diagnostics;
using Flotta.EndToEnd;
using Flotta.Kube;
using Flotta.KubernetesTests.Faults;
using Flotta.Resources;
using Flotta.Tests.Operator.Scenarios;
using k8s.Models;

namespace Flotta.KubernetesTests;

/// <summary>Other tests' Operators would write to the requests too.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class Alone;

/// <summary>Two real Operators. Each test has a Lease of its own, in its own namespace.</summary>
[Collection("alone")]
public sealed class LeaderFaultTests(RealCluster cluster)
{
    private const int Kill = 9, Freeze = 19, Thaw = 18;
    private const int Many = 100;

    [Theory]
    [InlineData(Kill)]
    [InlineData(Freeze)]
    public async Task A_leader_that_is_killed_or_frozen_is_followed_within_twenty_seconds_and_what_it_did_is_not_done_again(int signal)
    {
        _ = cluster.Server; // says why the test is skipped where there is none
        await using var world = await TestCluster.StartAsync(cluster);
        await world.StopOperatorAsync();
        using var folder = new TemporaryFolder();

        await using var api = await ApiProxy.StartAsync(cluster.Server, "admin", "system:masters");
        await using var first = Start("first", api.Kubeconfig);
        await HeldByAsync(world, "first");
        await using var second = Start("second", cluster.Kubeconfig);
        await second.LineAsync(line => line.StartsWith("ready ", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        var before = TestCluster.Unique("before");
        await world.CreateRequestAsync(before);
        await world.RequestAsync(before, IsApproved);
        var version = await VersionAsync(world, before);

        // Much to do, slowly: the leader is in the middle of it when it goes.
        for (var number = 0; number < Many; number++) await world.CreateDeviceAsync($"many-{number}", ("fleet", "many"));
        await world.CreateWorkloadAsync("many", selector: TestCluster.Selects("fleet", "many"));
        await TestCluster.WaitAsync(() => Task.FromResult(api.Calls.Count(call => call.IsWrite && call.Kind == "edgedevices") > 10), () => "nothing is placed");

        first.Signal(signal);
        var clock = Stopwatch.StartNew();
        var after = TestCluster.Unique("after");
        await world.CreateRequestAsync(after);
        await world.RequestAsync(after, IsApproved);
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(20));
        await HeldByAsync(world, "second");

        if (signal == Freeze)
        {
            var last = await VersionAsync(world, after);
            var thawed = TimeProvider.System.GetUtcNow();
            first.Signal(Thaw);
            await first.LineAsync(line => line.Contains("not held", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
            await HeldByAsync(world, "second");
            (await VersionAsync(world, after)).ShouldBe(last);
            // One may have been on its way when the world stood still.
            api.Calls.Count(call => call.IsWrite && call.At >= thawed).ShouldBeLessThanOrEqualTo(1);
        }

        await world.WorkloadAsync("many", workload => workload.Status?.Devices == Many);

        (await VersionAsync(world, before)).ShouldBe(version);
        (await world.Api.ListAsync<EdgeDevice>(world.Namespace, Cancellation)).Select(device => device.Metadata.Name)
            .Where(name => !name.StartsWith("many-", StringComparison.Ordinal)).Order().ShouldBe(new[] { before, after }.Order());

        RunningProgram Start(string name, string access)
        {
            var kubeconfig = Path.Combine(folder.Path, name);
            File.WriteAllText(kubeconfig, access);
            return RunningProgram.Start(
            Programs.Flotta,
            ["operator", "--kubeconfig", kubeconfig, "--metrics-port", "0"],
            new Dictionary<string, string>
            {
                ["POD_NAME"] = name, ["POD_NAMESPACE"] = world.Namespace, ["LEADER_ELECT"] = "true", ["AUTO_APPROVAL_PROCESS"] = "true", ["AUTO_APPROVAL_NAMESPACES"] = world.Namespace,
                ["WRITES_PER_SECOND"] = "15",
            });
        }
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Task HeldByAsync(TestCluster world, string name) => TestCluster.WaitAsync(
        async () => (await world.Api.GetAsync<V1Lease>(new(world.Namespace, "b9eebab3.project-flotta.io"), Cancellation))?.Spec.HolderIdentity == name,
        () => $"the Lease is not held by {name}");

    // Both what was decided and who came of it.
    private static async Task<string> VersionAsync(TestCluster world, string name) =>
        (await world.Api.GetAsync<EdgeDeviceSignedRequest>(new(Names.EnrolmentNamespace, name), Cancellation))!.Metadata.ResourceVersion
        + "/" + (await world.Api.GetAsync<EdgeDevice>(new(world.Namespace, name), Cancellation))?.Metadata.ResourceVersion;

    private static bool IsApproved(EdgeDeviceSignedRequest request) =>
        request.Status?.Conditions.Any(condition => condition is { Type: "approved", Status: "True" }) == true;
}
