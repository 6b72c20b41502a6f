using Flotta.EndToEnd;

namespace Flotta.KubernetesTests.Faults;

/// <summary>etcd goes away under load and comes back: first frozen, so that every request hangs, then killed.</summary>
[Collection("faults")]
public sealed class EtcdFaultTests(FaultCluster cluster, ITestOutputHelper log)
{
    private static readonly int Devices = Soak.IsOn ? 300 : 50;
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(Soak.IsOn ? 30 : 8);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Without_etcd_nobody_crashes_and_no_event_is_lost_and_when_it_is_back_all_goes_on_by_itself()
    {
        _ = cluster.Server; // says why the test is skipped where there is none
        using var folder = new TemporaryFolder();
        await using var plane = await ReplicatedPlane.StartAsync(cluster, folder.Path);
        await plane.WorkloadAsync("first");
        await using var fleet = plane.Fleet(
            "steady", Devices, "--period", "2s", "--trouble-every", "3s", "--start-time", "1s", "--for", $"{(2 * Away.TotalSeconds) + 16}s", "--calm", "10m");
        await fleet.IsServedAsync(Patience);
        foreach (var (killed, next) in (IEnumerable<(bool, string)>)[(false, "second"), (true, "third")])
        {
            var before = await plane.EventsAsync("SimulatedTrouble");
            await Eventually.TrueAsync(async () => fleet.Program.HasEnded || await plane.EventsAsync("SimulatedTrouble") > before + 5, Patience, () => "no events come");
            await StopForAWhileAsync(plane, killed);
            await plane.WorkloadAsync(next);
        }

        foreach (var workload in (string[])["first", "second", "third"]) await plane.RunsEverywhereAsync(workload, Devices, Patience);
        fleet.Program.Interrupt();
        var report = await fleet.EndsAsync(Patience);

        log.WriteLine(report["requests"]!.ToJsonString());
        SimulatedFleet.Refusals(report).Where(refusal => !refusal.EndsWith(" 503", StringComparison.Ordinal)).ShouldBeEmpty();
        var told = (long)report["events"]!;
        told.ShouldBeGreaterThan(Devices);
        var stored = await plane.EventsAsync("SimulatedTrouble");
        log.WriteLine($"{told} events acknowledged, {stored} stored");
        stored.ShouldBeGreaterThanOrEqualTo(told);
        plane.AreWell(Devices);
    }

    private async Task StopForAWhileAsync(ReplicatedPlane plane, bool killed)
    {
        var cancellation = TestContext.Current.CancellationToken;
        await cluster.Server.StopEtcdAsync(killed, cancellation);
        await Task.Delay(Away, cancellation); // this is the outage itself
        await cluster.Server.StartEtcdAsync(killed, cancellation);
        await Eventually.TrueAsync(async () => (await plane.TryKubectlAsync("get", "--raw", "/readyz")).ExitCode == 0, Patience, () => "the API server is not back");
    }
}
