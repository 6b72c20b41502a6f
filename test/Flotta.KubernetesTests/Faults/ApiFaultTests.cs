using System.Collections.Concurrent;
using Flotta.EndToEnd;

namespace Flotta.KubernetesTests.Faults;

/// <summary>The API server answers badly, or not for long.</summary>
[Collection("faults")]
public sealed class ApiFaultTests(FaultCluster cluster, ITestOutputHelper log)
{
    private const int Devices = 60;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan While = TimeSpan.FromSeconds(Soak.IsOn ? 60 : 8);

    [Fact]
    public async Task Refusals_delays_and_cut_watches_only_cost_time()
    {
        var cancellation = TestContext.Current.CancellationToken;
        _ = cluster.Server;
        using var folder = new TemporaryFolder();
        await using var plane = await ReplicatedPlane.StartAsync(cluster, folder.Path);
        await plane.WorkloadAsync("first");
        await using var fleet = plane.Fleet("steady", Devices, "--period", "2s", "--trouble-every", "3s", "--start-time", "1s", "--for", $"{(int)While.TotalSeconds + 3}s", "--calm", "10m");
        await fleet.IsServedAsync(Patience);

        foreach (var one in plane.All) one.Api.Bad = _ => AtRandom();
        await plane.WorkloadAsync("second");
        for (var began = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(began) < While;)
        {
            foreach (var one in plane.All) one.Api.CutWatches(0.1);
            await Task.Delay(TimeSpan.FromMilliseconds(500), cancellation); // this is the fault itself
        }

        foreach (var one in plane.All) one.Api.Bad = null;
        await plane.RunsEverywhereAsync("second", Devices, Patience);
        await plane.RunsEverywhereAsync("first", Devices, Patience);
        fleet.Program.Interrupt();
        var report = await fleet.EndsAsync(Patience);
        log.WriteLine(report["requests"]!.ToJsonString());
        SimulatedFleet.Refusals(report).Where(refusal => !refusal.EndsWith(" 503", StringComparison.Ordinal)).ShouldBeEmpty();
        (await plane.EventsAsync("SimulatedTrouble")).ShouldBeGreaterThanOrEqualTo((long)report["events"]!);
        plane.AreWell(Devices);
    }

    [Fact]
    public async Task Who_is_told_when_to_come_back_comes_back_then_and_not_before()
    {
        var cancellation = TestContext.Current.CancellationToken;
        _ = cluster.Server;
        using var folder = new TemporaryFolder();
        await using var plane = await ReplicatedPlane.StartAsync(cluster, folder.Path, operators: 1, edges: 1);
        await plane.WorkloadAsync("first");
        await using var fleet = plane.Fleet("steady", 20, "--period", "2s", "--start-time", "0s", "--trouble-every", "4s", "--for", "15s", "--calm", "10m");
        await fleet.IsServedAsync(Patience);

        var told = new ConcurrentQueue<(string Program, string What, TimeSpan At)>();
        var began = TimeProvider.System.GetTimestamp();
        foreach (var one in plane.All)
        {
            one.Api.Bad = request =>
            {
                // Events are made in one place, each of another device.
                if (request.Method != "POST") told.Enqueue((one.Name, $"{request.Method} {request.Path}", TimeProvider.System.GetElapsedTime(began)));
                return new(TimeSpan.Zero, 429, RetryAfter: 3);
            };
            one.Api.CutWatches(1);
        }

        await plane.WorkloadAsync("second"); // something to do for everybody
        await Task.Delay(TimeSpan.FromSeconds(9), cancellation); // this is the overload itself
        foreach (var one in plane.All) one.Api.Bad = null;
        await plane.RunsEverywhereAsync("second", 20, Patience);

        var early = told.GroupBy(one => (one.Program, one.What)).SelectMany(same => same.OrderBy(one => one.At).Zip(same.OrderBy(one => one.At).Skip(1), (one, next) => (one.What, Gap: next.At - one.At)))
            .Where(one => one.Gap < TimeSpan.FromSeconds(2.9)).ToList();
        log.WriteLine($"{told.Count} requests refused\n{string.Join('\n', told.GroupBy(one => $"{one.Program} {one.What}").Select(same => $"{same.Count()} {same.Key}"))}");
        early.ShouldBeEmpty();
        told.Count.ShouldBeLessThan(200);
        told.ShouldContain(one => one.What.StartsWith("PATCH", StringComparison.Ordinal), "nothing was written that could have been refused");
        plane.AreWell(Devices);
    }

    private static Trouble? AtRandom() => Random.Shared.Next(10) switch
    {
        0 or 1 => new(TimeSpan.Zero, 429, RetryAfter: 1),
        2 or 3 => new(TimeSpan.Zero, 500),
        4 or 5 => new(TimeSpan.FromMilliseconds(Random.Shared.Next(1500))),
        _ => null,
    };
}
