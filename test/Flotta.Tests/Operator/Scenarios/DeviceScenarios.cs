using Flotta.Resources;
using k8s.Models;

namespace Flotta.Tests.Operator.Scenarios;

/// <summary>How devices leave, and fall silent.</summary>
public abstract class DeviceScenarios(ITestServer server)
{
    [Fact]
    public async Task A_deleted_device_goes_at_once_and_takes_its_request_along()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        var name = TestCluster.Unique("device");
        await cluster.CreateRequestAsync(name);
        await cluster.PatchAsync<EdgeDeviceSignedRequest>(name, """{"spec":{"approved":true}}""", "default");
        await cluster.DeviceAsync(name, _ => true);
        await cluster.Api.DeleteAsync<EdgeDevice>(new(cluster.Namespace, name), TestContext.Current.CancellationToken);
        await cluster.GoneAsync<EdgeDevice>(name);
        await cluster.GoneAsync<EdgeDeviceSignedRequest>(name, "default");
    }

    [Fact]
    public async Task A_device_without_a_request_can_be_deleted()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.CreateDeviceAsync("lonely");
        await cluster.Api.DeleteAsync<EdgeDevice>(new(cluster.Namespace, "lonely"), TestContext.Current.CancellationToken);
        await cluster.GoneAsync<EdgeDevice>("lonely");
    }

    [Fact]
    public async Task A_request_for_another_namespace_stays_when_a_device_of_the_same_name_is_deleted()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        var name = TestCluster.Unique("device");
        await cluster.CreateRequestAsync(name, "another");
        await cluster.CreateDeviceAsync(name);
        await cluster.Api.DeleteAsync<EdgeDevice>(new(cluster.Namespace, name), TestContext.Current.CancellationToken);
        await cluster.GoneAsync<EdgeDevice>(name);
        await cluster.RequestAsync(name, _ => true);
    }

    [Fact]
    public async Task The_finalizers_of_others_are_left_to_them()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.CreateDeviceAsync("held");
        await cluster.PatchAsync<EdgeDevice>("held", """{"metadata":{"finalizers":["example.com/theirs","device-finalizer"]}}""");
        await cluster.Api.DeleteAsync<EdgeDevice>(new(cluster.Namespace, "held"), TestContext.Current.CancellationToken);
        (await cluster.DeviceAsync("held", device => device.Metadata.Finalizers.Count == 1)).Metadata.Finalizers.ShouldBe(["example.com/theirs"]);
        await cluster.PatchAsync<EdgeDevice>("held", """{"metadata":{"finalizers":null}}""");
        await cluster.GoneAsync<EdgeDevice>("held");
    }

    [Fact]
    public async Task Devices_of_a_dead_replica_are_no_longer_called_connected()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        var (dead, alive) = (TestCluster.Unique("dead"), TestCluster.Unique("alive"));
        await cluster.Api.CreateAsync(Lease(dead, seconds: 1), TestContext.Current.CancellationToken);
        await cluster.Api.CreateAsync(Lease(alive, seconds: 600), TestContext.Current.CancellationToken);
        await ConnectAsync(cluster, "lost", dead);
        await ConnectAsync(cluster, "fine", alive);
        var lost = await cluster.DeviceAsync("lost", device => Connected(device) == "Unknown");
        lost.Status!.Conditions!.Single().Message!.ShouldContain(dead);
        lost.Status.Phase.ShouldBe("up");
        (await cluster.DeviceAsync("fine", _ => true)).ShouldSatisfyAllConditions(device => Connected(device).ShouldBe("True"));

        // It turns to the other replica, which says so; nobody contradicts.
        await ConnectAsync(cluster, "lost", alive);
        await cluster.DeviceAsync("lost", device => Connected(device) == "True");
    }

    private static async Task ConnectAsync(TestCluster cluster, string device, string replica)
    {
        if (await cluster.Api.GetAsync<EdgeDevice>(new(cluster.Namespace, device), TestContext.Current.CancellationToken) is null)
            await cluster.CreateDeviceAsync(device);
        await cluster.PatchStatusAsync<EdgeDevice>(device, $$$"""
            {"status":{"phase":"up","connectedTo":"{{{replica}}}","conditions":[{"type":"Connected","status":"True","reason":"Heard","message":"it called","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}
            """);
    }

    private static string? Connected(EdgeDevice device) => Conditions.Find(device.Status?.Conditions, "Connected")?.Status;

    private static V1Lease Lease(string replica, int seconds) => new()
    {
        ApiVersion = "coordination.k8s.io/v1",
        Kind = "Lease",
        Metadata = new() { Name = "flotta-edge-api-" + replica, NamespaceProperty = "flotta" },
        Spec = new() { HolderIdentity = replica, LeaseDurationSeconds = seconds },
    };
}
