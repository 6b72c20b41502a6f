using Flotta.EndToEnd;

namespace Flotta.KubernetesTests.Faults;

/// <summary>An upgrade as a Deployment makes it: one new replica of the Edge API, then one old one less, until all are new.</summary>
[Collection("faults")]
public sealed class RollingUpgradeTests(FaultCluster cluster, ITestOutputHelper log)
{
    private static readonly int Devices = Soak.IsOn ? 2000 : 200;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(Soak.IsOn ? 25 : 5);

    [Fact]
    public async Task A_connected_fleet_sees_nothing_of_it_but_503_and_no_event_is_lost()
    {
        var cancellation = TestContext.Current.CancellationToken;
        _ = cluster.Server; // says why the test is skipped where there is none
        using var folder = new TemporaryFolder();
        await using var plane = await ReplicatedPlane.StartAsync(cluster, folder.Path);
        await plane.WorkloadAsync("first");
        // The API server shares two cores with everything else: trouble every minute would be a hundred writes a second to it before the first replica is replaced.
        string[] pace = Soak.IsOn ? ["--ramp", "4m", "--for", "90s", "--period", "20s", "--trouble-every", "5m"] : ["--for", "15s", "--period", "3s", "--trouble-every", "10s"];
        await using var fleet = plane.Fleet("steady", Devices, ["--start-time", "1s", "--calm", "20m", .. pace]);
        await fleet.IsServedAsync(Patience);

        var replaced = TimeProvider.System.GetTimestamp();
        foreach (var old in plane.Edges.ToList())
        {
            plane.Edges.Add(await plane.StartEdgeAsync());
            plane.Balance();
            old.Program.Terminate();
            await Task.Delay(TimeSpan.FromSeconds(1), cancellation); // until whoever spreads the devices hears of it
            plane.Edges.Remove(old);
            plane.Balance();
            await old.Program.EndAsync(TimeSpan.FromSeconds(30));
            old.Program.ExitCode.ShouldBe(0, old.Program.Said);
            await old.DisposeAsync();
        }

        var took = TimeProvider.System.GetElapsedTime(replaced);
        await plane.RunsEverywhereAsync("first", Devices, Patience);
        fleet.Program.Interrupt();
        var report = await fleet.EndsAsync(Patience);
        log.WriteLine($"{Devices} devices, 3 replicas replaced in {took.TotalSeconds:0.0} s\n{report["requests"]!.ToJsonString()}\n{report["traffic"]!.ToJsonString()}\noutages {report["outages"]?.ToJsonString()}");
        SimulatedFleet.Refusals(report).Where(refusal => !refusal.EndsWith(" 503", StringComparison.Ordinal)).ShouldBeEmpty();
        report["requests"]!.AsObject().SelectMany(kind => kind.Value!["failures"]?.AsObject().Select(failure => $"{kind.Key}: {failure.Value} {failure.Key}") ?? []).ShouldBeEmpty();
        var told = (long)report["events"]!;
        told.ShouldBeGreaterThan(0);
        var stored = await plane.EventsAsync("SimulatedTrouble");
        log.WriteLine($"{told} events acknowledged, {stored} stored");
        stored.ShouldBeGreaterThanOrEqualTo(told);
        plane.AreWell(Devices);
    }
}
