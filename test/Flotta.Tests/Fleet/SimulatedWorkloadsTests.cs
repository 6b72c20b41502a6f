using Flotta.Fleet.Devices;
using Flotta.Wire;

namespace Flotta.Tests.Fleet;

public sealed class SimulatedWorkloadsTests
{
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(100);

    [Fact]
    public void A_workload_is_created_and_runs_a_little_later()
    {
        var workloads = new SimulatedWorkloads(new DeviceSettings { LongestStart = TimeSpan.FromSeconds(2) }, new Random(1));
        workloads.Follow([Named("a")], Start);
        workloads.Statuses.Single().Status.ShouldBe("Created");
        var due = workloads.NextChange!.Value;
        due.ShouldBeInRange(Start, Start + TimeSpan.FromSeconds(2));
        workloads.Advance(due - TimeSpan.FromTicks(1)).ShouldBeEmpty();
        workloads.Advance(due).ShouldBe([("a", "Running")]);
        workloads.Statuses.Single().Status.ShouldBe("Running");
        workloads.NextChange.ShouldBeNull();
    }

    [Fact]
    public void What_is_still_wanted_runs_on_and_what_is_not_is_gone()
    {
        var workloads = new SimulatedWorkloads(new DeviceSettings { LongestStart = TimeSpan.Zero }, new Random(1));
        workloads.Follow([Named("a"), Named("b")], Start);
        workloads.Follow([Named("b"), Named("c")], Start);
        workloads.Statuses.Select(one => (one.Name, one.Status)).ShouldBe([("b", "Running"), ("c", "Running")]);
        workloads.Follow([], Start);
        workloads.Count.ShouldBe(0);
    }

    [Fact]
    public void A_workload_that_is_in_trouble_recovers()
    {
        var workloads = new SimulatedWorkloads(new DeviceSettings { LongestStart = TimeSpan.Zero, TroubleEvery = TimeSpan.FromMinutes(1) }, new Random(1));
        workloads.Follow([Named("a")], Start);
        workloads.Advance(workloads.NextChange!.Value).ShouldBe([("a", "Degraded")]);
        workloads.Statuses.Single().Status.ShouldBe("Degraded");
        workloads.Advance(workloads.NextChange!.Value).ShouldBe([("a", "Running")]);
        workloads.Statuses.Single().Status.ShouldBe("Running");
        workloads.NextChange.ShouldNotBeNull();
    }

    [Fact]
    public void In_calm_nothing_fails_and_what_has_failed_recovers()
    {
        var workloads = new SimulatedWorkloads(new DeviceSettings { LongestStart = TimeSpan.Zero, TroubleEvery = TimeSpan.FromMinutes(1) }, new Random(1));
        workloads.Follow([Named("a"), Named("b")], Start);
        workloads.Advance(workloads.NextChange!.Value).Count.ShouldBe(1);
        workloads.CalmDown();
        workloads.Advance(workloads.NextChange!.Value).Single().Status.ShouldBe("Running");
        workloads.NextChange.ShouldBeNull();
    }

    [Fact]
    public void A_workload_on_hold_stays_as_it_is_and_says_why()
    {
        var workloads = new SimulatedWorkloads(new DeviceSettings { LongestStart = TimeSpan.Zero }, new Random(1));
        workloads.Follow([Named("a")], Start);
        workloads.Follow([Named("a") with { Hold = "secret s is missing" }], Start);
        var held = workloads.Statuses.Single();
        (held.Status, held.Reason, held.Message).ShouldBe(("Running", "Held", "secret s is missing"));
        workloads.Follow([Named("a")], Start);
        workloads.Statuses.Single().Message.ShouldBeNull();
    }

    private static Workload Named(string name) => new() { Name = name, Namespace = "default", Specification = "containers: []" };
}
