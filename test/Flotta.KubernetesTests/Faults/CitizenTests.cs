using System.Text.Json.Nodes;
using Flotta.EndToEnd;

namespace Flotta.KubernetesTests.Faults;

/// <summary>What a cluster's administrators expect of everybody who uses their API server.</summary>
[Collection("faults")]
public sealed class CitizenTests(FaultCluster cluster, ITestOutputHelper log)
{
    private const int Devices = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task A_fleet_in_which_nothing_changes_costs_leases_and_nothing_else()
    {
        var cancellation = TestContext.Current.CancellationToken;
        _ = cluster.Server;
        using var folder = new TemporaryFolder();
        await using var plane = await ReplicatedPlane.StartAsync(cluster, folder.Path);
        await plane.WorkloadAsync("first");
        await using var fleet = plane.Fleet("steady", Devices, "--period", "1s", "--start-time", "0s", "--for", "5m");
        await fleet.IsServedAsync(Patience);
        await plane.RunsEverywhereAsync("first", Devices, Patience);
        await ConditionsAreThereToWaitForAsync(plane);
        await ManagersHaveNamesAsync(plane);
        await Eventually.TrueAsync(() => Task.FromResult(Since(plane, TimeSpan.FromSeconds(3)).All(call => !call.IsWrite || call.IsLease)), Patience, () => "there is no end to writing:\n" + Told(Since(plane, TimeSpan.FromSeconds(3))));

        var first = plane.All.SelectMany(one => one.Api.Calls).ToList();
        first.Where(call => call.IsList).ShouldNotBeEmpty();
        first.Where(call => call.IsWatch).ShouldNotBeEmpty();
        first.Where(call => call.IsWatch && !(call.Query.Contains("allowWatchBookmarks=true") && call.Query.Contains("resourceVersion=") && call.Query.Contains("timeoutSeconds="))).ShouldBeEmpty();
        // A collection that is read is read in pages.
        first.Where(call => call.Method == "GET" && call.Path.EndsWith("/edgedevices", StringComparison.Ordinal) && !call.IsWatch && !call.IsList).ShouldBeEmpty();
        // The program itself looks once, before its roles begin, whether the installation is being moved.
        first.Where(call => !new[] { "flotta-operator/", "flotta-edge-api/", "flotta/" }.Any(name => call.UserAgent.StartsWith(name, StringComparison.Ordinal))).ShouldBeEmpty();

        foreach (var one in plane.All)
        {
            one.Api.Calls.Clear();
            one.Api.CutWatches(1);
        }

        var window = TimeSpan.FromSeconds(8);
        await Task.Delay(window, cancellation); // ten heartbeats of each device, or nearly
        var calls = plane.All.SelectMany(one => one.Api.Calls).ToList();
        log.WriteLine(Told(calls));
        calls.Where(call => call.IsWrite && !call.IsLease).ShouldBeEmpty();
        calls.Where(call => call.IsList).ShouldBeEmpty("a watch that was cut goes on where it was");
        // The Operators look every two seconds and one of them writes; each Edge API writes every ten.
        calls.Count(call => call.IsWrite).ShouldBeInRange(2, 5 + plane.Edges.Count + 2);
        plane.AreWell(Devices);
    }

    [Fact]
    public async Task A_workload_that_fails_all_the_time_is_told_in_few_Events_that_count()
    {
        _ = cluster.Server;
        using var folder = new TemporaryFolder();
        await using var plane = await ReplicatedPlane.StartAsync(cluster, folder.Path, operators: 1, edges: 1);
        for (var number = 1; number <= 8; number++) await plane.WorkloadAsync($"bad-{number}");
        await using var fleet = plane.Fleet("steady", 3, "--start-time", "0s", "--trouble-every", "300ms", "--for", "10m");
        await Eventually.TrueAsync(async () => await plane.EventsAsync("SimulatedTrouble") >= 75, Patience, () => "no events come");
        fleet.Program.Interrupt();
        var report = await fleet.EndsAsync(Patience);
        var told = (long)report["events"]!;
        var events = JsonNode.Parse(await plane.KubectlAsync("-n", plane.Namespace, "get", "events", "-o", "json"))!["items"]!.AsArray();
        events.Count.ShouldBeInRange(3, 3 * 11);
        events.ShouldAllBe(one => (string)one!["reason"]! == "SimulatedTrouble" && (string)one["type"]! == "Warning" && (string)one["involvedObject"]!["kind"]! == "EdgeDevice");
        events.Sum(one => (long)one!["count"]!).ShouldBeGreaterThanOrEqualTo(told);
        events.Count(one => ((string)one!["message"]!).StartsWith("(combined from similar events): ", StringComparison.Ordinal)).ShouldBe(3);
    }

    private static async Task ConditionsAreThereToWaitForAsync(ReplicatedPlane plane)
    {
        var device = $"{plane.Namespace}-00001";
        (string Namespace, string Object, string Condition)[] waits =
        [
            (plane.Namespace, "edgedevice/" + device, "Connected"),
            (plane.Namespace, "edgedevice/" + device, "UpToDate"),
            (plane.Namespace, "edgedevice/" + device, "WorkloadsReady"),
            (plane.Namespace, "edgeworkload/first", "Accepted"),
            ("default", "edgedevicesignedrequest/" + device, "approved"),
        ];
        foreach (var (home, thing, condition) in waits)
        {
            var (exitCode, _, said) = await plane.TryKubectlAsync("-n", home, "wait", "--for=condition=" + condition, thing, "--timeout=30s");
            exitCode.ShouldBe(0, $"{thing} {condition}: {said}");
        }
    }

    private static async Task ManagersHaveNamesAsync(ReplicatedPlane plane)
    {
        var device = JsonNode.Parse(await plane.KubectlAsync("-n", plane.Namespace, "get", "edgedevice", $"{plane.Namespace}-00001", "-o", "json", "--show-managed-fields"))!;
        device["metadata"]!["managedFields"]!.AsArray().Select(one => (string)one!["manager"]!).Distinct().Order().ShouldBe(["flotta-edge-api", "flotta-operator"]);
    }

    private static List<ApiCall> Since(ReplicatedPlane plane, TimeSpan ago)
    {
        var from = TimeProvider.System.GetUtcNow() - ago;
        return [.. plane.All.SelectMany(one => one.Api.Calls).Where(call => call.At > from)];
    }

    private static string Told(IEnumerable<ApiCall> calls) =>
        string.Join('\n', calls.GroupBy(call => $"{call.UserAgent} {call.Method} {call.Path}{(call.IsWatch ? " (watch)" : "")}").Select(same => $"{same.Count()} {same.Key}").Order());
}
