namespace Flotta.EndToEnd;

/// <summary>The simulator against the real control plane: fifty devices, real TLS, real approval.</summary>
public sealed class FleetTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Fifty_devices_are_approved_and_one_workload_reaches_all_of_them()
    {
        await using var plane = await EmbeddedControlPlane.StartAsync(_folder.Sub("control-plane"));
        await using var fleet = SimulatedFleet.Start(
            plane, _folder.Path, "rollout", "--devices", "50", "--kubeconfig", plane.Kubeconfig, "--rounds", "1", "--every", "500ms", "--start-time", "0s");
        var report = await fleet.EndsAsync(Patience);
        ((bool)report["complete"]!).ShouldBeTrue();
        ((int)report["rollouts"]![0]!["devices"]!).ShouldBe(50);
        ((int)report["phases"]!["registered"]!).ShouldBe(50);
        SimulatedFleet.Refusals(report).ShouldBeEmpty();
        var keys = (await plane.KubectlAsync("get", "edgedevices", "-o", "jsonpath={range .items[*]}{.status.certificate.keyFingerprint}{\"\\n\"}{end}")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        keys.Distinct(StringComparer.Ordinal).Count().ShouldBe(50);
    }

    [Fact]
    public async Task Registrations_as_a_load_let_each_device_in_once()
    {
        await using var plane = await EmbeddedControlPlane.StartAsync(_folder.Sub("control-plane"), "--auto-approve");
        await using var fleet = SimulatedFleet.Start(plane, _folder.Path, "load", "--request", "registration", "--devices", "40", "--at-once", "4");
        var report = await fleet.EndsAsync(Patience);
        ((bool)report["complete"]!).ShouldBeTrue();
        ((int)report["coldStart"]!["devices"]!).ShouldBe(36);
        SimulatedFleet.Refusals(report).ShouldBeEmpty();
        ((long)report["traffic"]!["connections"]!).ShouldBe(0); // each was opened by the first device that came over it
        (await plane.KubectlAsync("get", "edgedevices", "-o", "jsonpath={range .items[*]}{.status.certificate.serial}{\"\\n\"}{end}"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).Count().ShouldBe(40);
    }

    [Fact]
    public async Task A_later_run_goes_on_with_the_same_devices_and_the_originals_behaviour_works_too()
    {
        await using var plane = await EmbeddedControlPlane.StartAsync(_folder.Sub("control-plane"), "--auto-approve");
        var state = _folder.Sub("identities");
        await using (var first = SimulatedFleet.Start(plane, _folder.Path, "cold-start", "--devices", "5", "--state", state, "--original", "--poll", "200ms"))
            await first.EndsAsync(Patience);
        await using var second = SimulatedFleet.Start(plane, _folder.Path, "steady", "--devices", "5", "--state", state, "--original", "--poll", "200ms", "--for", "2s");
        var report = await second.EndsAsync(Patience);
        report["requests"]!.AsObject().ContainsKey("enrolment").ShouldBeFalse();
        ((int)report["requests"]!["configuration"]!["count"]!).ShouldBeGreaterThan(10);
        SimulatedFleet.Refusals(report).ShouldBeEmpty();
    }

    [Fact]
    public async Task Ctrl_C_ends_a_run_with_its_report()
    {
        await using var plane = await EmbeddedControlPlane.StartAsync(_folder.Sub("control-plane"), "--auto-approve");
        await using var fleet = SimulatedFleet.Start(plane, _folder.Path, "steady", "--devices", "3", "--for", "10m");
        await fleet.IsServedAsync(Patience);
        fleet.Program.Interrupt();
        var report = await fleet.EndsAsync(TimeSpan.FromSeconds(10));
        ((bool)report["complete"]!).ShouldBeFalse();
    }

    [Fact]
    public async Task A_fleet_whose_links_are_all_cut_comes_back()
    {
        await using var plane = await EmbeddedControlPlane.StartAsync(_folder.Sub("control-plane"), "--auto-approve");
        await using var fleet = SimulatedFleet.Start(plane, _folder.Path, "reconnect-storm", "--devices", "20", "--rounds", "2", "--every", "500ms");
        var report = await fleet.EndsAsync(Patience);
        report["outages"]!.AsArray().Count.ShouldBe(2);
        report["outages"]!.AsArray().ShouldAllBe(outage => outage!["ended"] != null);
        SimulatedFleet.Refusals(report).ShouldBeEmpty();
    }

    public void Dispose() => _folder.Dispose();
}
