using Flotta.Agent.Heartbeats;
using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.Tests.Agent;

public sealed class ReportTests
{
    private static readonly HardwareInfo Machine = new() { Hostname = "vm", Cpu = new Cpu { Architecture = "x86_64" }, Interfaces = [] };

    [Fact]
    public void A_device_with_nothing_to_complain_about_is_up()
    {
        var report = Report.From("v1", null, [new("b", "Running", null, null, null), new("a", "Running", null, null, null)], null, []);
        report.Status.ShouldBe(HeartbeatStatuses.Up);
        report.Version.ShouldBe("v1");
        report.Workloads!.Select(workload => workload.Name).ShouldBe(["a", "b"]);
        report.Hardware.ShouldBeNull();
    }

    [Fact]
    public void A_workload_that_waits_or_a_configuration_that_was_refused_makes_it_degraded()
    {
        Report.From("v1", null, [new("a", "Deploying", "ImagePull", "no such image", null)], null, []).Status.ShouldBe(HeartbeatStatuses.Degraded);
        Report.From("v1", "no version", [], null, []).Status.ShouldBe(HeartbeatStatuses.Degraded);
    }

    [Fact]
    public void Before_any_configuration_the_version_is_empty_rather_than_absent() => Report.From(null, null, [], null, []).Version.ShouldBe("");

    [Fact]
    public void Hardware_is_told_only_where_the_profile_wants_it_and_in_full_the_first_time()
    {
        HardwareReport.Choose(null, null, Machine).ShouldBeNull();
        HardwareReport.Choose(new HardwareProfile { Scope = HardwareScopes.Full }, null, Machine).ShouldBeNull();
        HardwareReport.Choose(new HardwareProfile { Include = true }, null, Machine).ShouldBe(Machine);
    }

    [Fact]
    public void In_scope_delta_what_has_not_changed_is_not_told_again() =>
        HardwareReport.Choose(new HardwareProfile { Include = true, Scope = HardwareScopes.Delta }, Machine, Machine).ShouldBeNull();

    [Fact]
    public void Events_that_were_not_taken_come_first_the_next_time()
    {
        var queue = new EventQueue();
        queue.Add("A", "1", EventTypes.Info);
        var first = queue.Peek();
        queue.Add("B", "2", EventTypes.Info);
        queue.Peek().Entries.Select(one => one.Reason).ShouldBe(["A", "B"]);
        queue.Done(first);
        queue.Peek().Entries.Select(one => one.Reason).ShouldBe(["B"]);
    }

    [Fact]
    public void A_long_time_without_a_server_drops_the_oldest_and_says_how_many()
    {
        var queue = new EventQueue(most: 3);
        for (var i = 0; i < 10; i++)
            queue.Add("E", $"{i}", EventTypes.Info);
        var taken = EventQueue.Told(queue.Peek());
        taken[0].Message.ShouldNotBeNull().ShouldStartWith("7 earlier events");
        taken.Skip(1).Select(one => one.Message).ShouldBe(["7", "8", "9"]);
    }
}
