using Flotta.Operator.Workloads;
using Flotta.Resources;

namespace Flotta.Tests.Operator;

public sealed class WorkloadReportTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Devices_and_those_that_run_it_are_counted()
    {
        var report = WorkloadReport.For(Valid("w"), [Device("w", "Running"), Device("w", "Created"), Device("other", "Running"), new()], Now);
        (report.Devices, report.Running).ShouldBe((2, 1));
        report.Conditions!.Single().Status.ShouldBe("True");
    }

    [Fact]
    public void What_is_wrong_is_said_in_a_condition_and_again_when_it_is_right()
    {
        var broken = new EdgeWorkload { Metadata = new() { Name = "w" }, Spec = new() { Type = "pod" } };
        var report = WorkloadReport.For(broken, [], Now);
        report.Conditions!.Single().ShouldBe(new Condition { Type = "Accepted", Status = "False", Reason = "Invalid", Message = "spec.pod is missing", LastTransitionTime = Now });
        var mended = WorkloadReport.For(Valid("w") with { Status = report }, [], Now.AddMinutes(1));
        mended.Conditions!.Single().ShouldBe(new Condition { Type = "Accepted", Status = "True", Reason = "Valid", LastTransitionTime = Now.AddMinutes(1) });
    }

    [Fact]
    public void The_same_report_is_not_written_twice()
    {
        var report = WorkloadReport.For(Valid("w"), [], Now);
        WorkloadReport.Same(report, WorkloadReport.For(Valid("w") with { Status = report }, [], Now.AddDays(1))).ShouldBeTrue();
        WorkloadReport.Same(null, report).ShouldBeFalse();
    }

    private static EdgeWorkload Valid(string name) => new()
    {
        Metadata = new() { Name = name },
        Spec = new() { Type = "pod", Pod = new() { Spec = PodSpec.Parse("""{"containers":[{"name":"c","image":"i"}]}""") } },
    };

    private static EdgeDevice Device(string workload, string phase) => new() { Status = new() { Workloads = [new() { Name = workload, Phase = phase }] } };
}
