using Flotta.Resources;
using k8s.Models;

namespace Flotta.Tests.Operator.Scenarios;

/// <summary>Which devices a workload is on, as status, labels and finalizers tell it.</summary>
public abstract class WorkloadScenarios(ITestServer server)
{
    [Fact]
    public async Task A_workload_goes_to_the_devices_that_its_selector_matches()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.CreateDeviceAsync("pump", ("kind", "pump"));
        await cluster.CreateDeviceAsync("lamp", ("kind", "lamp"));
        await cluster.CreateWorkloadAsync("watch", selector: TestCluster.Selects("kind", "pump"));
        var pump = await cluster.DeviceAsync("pump", device => Has(device, "watch"));
        pump.Status!.Workloads!.ShouldHaveSingleItem().ShouldBe(new DeviceWorkload { Name = "watch", Phase = "Deploying" });
        var watch = await cluster.WorkloadAsync("watch", workload => workload.Status is { Devices: 1, Running: 0 });
        watch.Metadata.Finalizers.ShouldBe(["yggdrasil-device-reference-finalizer"]);
        (await cluster.DeviceAsync("lamp", _ => true)).ShouldSatisfyAllConditions(device => HasNothing(device).ShouldBeTrue());
    }

    [Fact]
    public async Task A_label_change_moves_exactly_what_it_concerns()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.CreateDeviceAsync("dev", ("kind", "pump"), ("site", "north"));
        await cluster.CreateWorkloadAsync("by-kind", selector: TestCluster.Selects("kind", "pump"));
        await cluster.CreateWorkloadAsync("by-site", selector: TestCluster.Selects("site", "north"));
        await cluster.CreateWorkloadAsync("by-lamp", selector: TestCluster.Selects("kind", "lamp"));
        await cluster.DeviceAsync("dev", device => Has(device, "by-kind", "by-site"));
        await SetPhasesAsync(cluster, "dev", "Running");
        await cluster.PatchAsync<EdgeDevice>("dev", """{"metadata":{"labels":{"kind":"lamp"}}}""");
        var device = await cluster.DeviceAsync("dev", device => Has(device, "by-lamp", "by-site"));
        device.Status!.Workloads!.Select(entry => (entry.Name, entry.Phase)).ShouldBe([("by-site", "Running"), ("by-lamp", "Deploying")]);
        await cluster.WorkloadAsync("by-kind", workload => workload.Status is { Devices: 0 });
        await cluster.WorkloadAsync("by-site", workload => workload.Status is { Devices: 1, Running: 1 });
    }

    [Fact]
    public async Task A_selector_change_adds_and_removes_exactly_the_right_devices()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        foreach (var (name, kind) in new[] { ("a", "x"), ("b", "x"), ("c", "y"), ("d", "z") }) await cluster.CreateDeviceAsync(name, ("kind", kind));
        await cluster.CreateWorkloadAsync("w", selector: In("kind", "x", "y"));
        foreach (var name in new[] { "a", "b", "c" }) await cluster.DeviceAsync(name, device => Has(device, "w"));
        await cluster.PatchAsync<EdgeWorkload>("w", """{"spec":{"deviceSelector":{"matchExpressions":[{"key":"kind","operator":"In","values":["y","z"]}]}}}""");
        foreach (var name in new[] { "c", "d" }) await cluster.DeviceAsync(name, device => Has(device, "w"));
        foreach (var name in new[] { "a", "b" }) await cluster.DeviceAsync(name, HasNothing);

        // A name wins over the selector, whatever that says.
        await cluster.PatchAsync<EdgeWorkload>("w", """{"spec":{"device":"a"}}""");
        await cluster.DeviceAsync("a", device => Has(device, "w"));
        foreach (var name in new[] { "b", "c", "d" }) await cluster.DeviceAsync(name, HasNothing);
        await cluster.WorkloadAsync("w", workload => workload.Status is { Devices: 1 });
    }

    [Fact]
    public async Task A_deleted_workload_leaves_its_devices_and_then_goes()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.CreateDeviceAsync("a", ("kind", "x"));
        await cluster.CreateDeviceAsync("gone-for-ever", ("kind", "x"));
        await cluster.CreateWorkloadAsync("w", selector: TestCluster.Selects("kind", "x"));
        await cluster.CreateWorkloadAsync("other", selector: TestCluster.Selects("kind", "x"));
        foreach (var name in new[] { "a", "gone-for-ever" }) await cluster.DeviceAsync(name, device => Has(device, "other", "w"));
        await cluster.Api.DeleteAsync<EdgeWorkload>(new(cluster.Namespace, "w"), TestContext.Current.CancellationToken);
        await cluster.GoneAsync<EdgeWorkload>("w");
        foreach (var name in new[] { "a", "gone-for-ever" })
            (await cluster.DeviceAsync(name, device => Has(device, "other"))).Status!.Workloads!.ShouldHaveSingleItem().Name.ShouldBe("other");
    }

    [Fact]
    public async Task Traces_of_a_workload_that_went_while_nobody_looked_are_removed()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.CreateDeviceAsync("a", ("kind", "x"));
        await cluster.CreateWorkloadAsync("w", selector: TestCluster.Selects("kind", "x"));
        await cluster.DeviceAsync("a", device => Has(device, "w"));
        await cluster.WorkloadAsync("w", workload => workload.Status is { Devices: 1 });
        await cluster.StopOperatorAsync();
        await cluster.PatchAsync<EdgeWorkload>("w", """{"metadata":{"finalizers":null}}""");
        await cluster.Api.DeleteAsync<EdgeWorkload>(new(cluster.Namespace, "w"), TestContext.Current.CancellationToken);
        await cluster.GoneAsync<EdgeWorkload>("w");
        await cluster.RestartOperatorAsync();
        await cluster.DeviceAsync("a", HasNothing);
    }

    [Fact]
    public async Task The_finalizers_of_others_stay_beside_ours()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.CreateWorkloadAsync("w", device: "nobody", finalizers: ["example.com/theirs"]);
        var held = await cluster.WorkloadAsync("w", workload => workload.Metadata.Finalizers.Count == 2);
        held.Metadata.Finalizers.ShouldBe(["example.com/theirs", "yggdrasil-device-reference-finalizer"]);
        await cluster.Api.DeleteAsync<EdgeWorkload>(new(cluster.Namespace, "w"), TestContext.Current.CancellationToken);
        (await cluster.WorkloadAsync("w", workload => workload.Metadata.Finalizers.Count == 1)).Metadata.Finalizers.ShouldBe(["example.com/theirs"]);
        await cluster.PatchAsync<EdgeWorkload>("w", """{"metadata":{"finalizers":null}}""");
    }

    [Fact]
    public async Task Long_names_and_prefixed_keys_work()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        var name = new string('w', 100);
        await cluster.CreateDeviceAsync("a", ("app.kubernetes.io/name", "pump"));
        await cluster.CreateWorkloadAsync(name, selector: TestCluster.Selects("app.kubernetes.io/name", "pump"));
        await cluster.DeviceAsync("a", device => Has(device, name));
        await cluster.Api.DeleteAsync<EdgeWorkload>(new(cluster.Namespace, name), TestContext.Current.CancellationToken);
        await cluster.GoneAsync<EdgeWorkload>(name);
        await cluster.DeviceAsync("a", HasNothing);
    }

    [Fact]
    public async Task A_selector_that_makes_no_sense_is_told_and_hurts_nobody_else()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.CreateDeviceAsync("a", ("kind", "x"));
        await cluster.CreateWorkloadAsync("broken", selector: new() { MatchExpressions = [new() { Key = "kind", OperatorProperty = "Near", Values = ["x"] }] });
        await cluster.CreateWorkloadAsync("fine", selector: TestCluster.Selects("kind", "x"));
        await cluster.DeviceAsync("a", device => Has(device, "fine"));
        var broken = await cluster.WorkloadAsync("broken", workload => workload.Status is not null);
        broken.Status!.Conditions!.Single().ShouldSatisfyAllConditions(
            condition => condition.Status.ShouldBe("False"),
            condition => condition.Message!.ShouldContain("Near"));
    }

    [Fact]
    public async Task Nothing_that_a_device_reports_is_lost_while_workloads_come_and_go()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.CreateDeviceAsync("a", ("kind", "x"));
        await cluster.CreateWorkloadAsync("stays", selector: TestCluster.Selects("kind", "x"));
        await cluster.DeviceAsync("a", device => Has(device, "stays"));
        for (var round = 0; round < 10; round++)
        {
            var reporting = SetPhasesAsync(cluster, "a", $"Round{round}");
            var applying = cluster.CreateWorkloadAsync($"w{round}", selector: TestCluster.Selects("kind", "x"));
            await Task.WhenAll(reporting, applying);
            await cluster.DeviceAsync("a", device => Has(device, ["stays", .. Enumerable.Range(0, round + 1).Select(number => $"w{number}")]));
            (await cluster.DeviceAsync("a", _ => true)).Status!.Workloads!.Single(entry => entry.Name == "stays").Phase.ShouldBe($"Round{round}");
        }
    }

    [Fact]
    public async Task A_workload_reaches_hundreds_of_devices_and_leaves_them()
    {
        const int fleet = 300;
        await using var cluster = await TestCluster.StartAsync(server, new() { WritesPerSecond = 10_000 });
        foreach (var chunk in Enumerable.Range(0, fleet).Chunk(50))
            await Task.WhenAll(chunk.Select(number => cluster.CreateDeviceAsync($"d{number}", ("kind", number % 3 == 0 ? "y" : "x"))));
        await cluster.CreateWorkloadAsync("w", selector: TestCluster.Selects("kind", "x"));
        await AllAsync(cluster, device => Has(device, "w") == (device.Metadata.Labels["kind"] == "x"));
        await cluster.WorkloadAsync("w", workload => workload.Status is { Devices: fleet * 2 / 3 });
        await cluster.Api.DeleteAsync<EdgeWorkload>(new(cluster.Namespace, "w"), TestContext.Current.CancellationToken);
        await cluster.GoneAsync<EdgeWorkload>("w");
        await AllAsync(cluster, HasNothing);
    }

    private static Task AllAsync(TestCluster cluster, Func<EdgeDevice, bool> until) => TestCluster.WaitAsync(
        async () => (await cluster.Api.ListAsync<EdgeDevice>(cluster.Namespace, TestContext.Current.CancellationToken)).All(until),
        () => "not all devices got there");

    private static V1LabelSelector In(string key, params string[] values) =>
        new() { MatchExpressions = [new() { Key = key, OperatorProperty = "In", Values = values }] };

    /// <summary>Exactly these, in the status and in the labels.</summary>
    private static bool Has(EdgeDevice device, params IEnumerable<string> names)
    {
        var (wanted, labels) = (names.Order(StringComparer.Ordinal).ToList(), names.Select(Names.Labels.Workload).Order(StringComparer.Ordinal));
        return (device.Status?.Workloads ?? []).Select(entry => entry.Name).Order(StringComparer.Ordinal).SequenceEqual(wanted, StringComparer.Ordinal)
            && WorkloadLabels(device).Order(StringComparer.Ordinal).SequenceEqual(labels, StringComparer.Ordinal);
    }

    private static bool HasNothing(EdgeDevice device) => Has(device, []);

    private static IEnumerable<string> WorkloadLabels(EdgeDevice device) =>
        (device.Metadata.Labels?.Keys ?? []).Where(key => key.StartsWith("workload/", StringComparison.Ordinal));

    /// <summary>What the Edge API does: read, change phases, write on top of what was read, again when that was stale.</summary>
    private static async Task SetPhasesAsync(TestCluster cluster, string name, string phase)
    {
        while (true)
        {
            var device = await cluster.DeviceAsync(name, _ => true);
            var entries = string.Join(',', (device.Status?.Workloads ?? []).Select(entry => $$"""{"name":"{{entry.Name}}","phase":"{{phase}}"}"""));
            try
            {
                await cluster.PatchStatusAsync<EdgeDevice>(name, $$$"""{"metadata":{"resourceVersion":"{{{device.Metadata.ResourceVersion}}}"},"status":{"workloads":[{{{entries}}}]}}""");
                return;
            }
            catch (Flotta.Kube.KubeException stale) when (stale.IsConflict)
            {
            }
        }
    }
}
