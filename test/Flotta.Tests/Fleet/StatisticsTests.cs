using Flotta.Fleet.Reports;

namespace Flotta.Tests.Fleet;

public sealed class StatisticsTests
{
    private readonly Statistics _statistics = new();

    [Fact]
    public void Answers_are_counted_by_kind_and_status_and_failures_by_reason()
    {
        _statistics.Answered(RequestKind.Heartbeat, 200, TimeSpan.FromMilliseconds(1));
        _statistics.Answered(RequestKind.Heartbeat, 200, TimeSpan.FromMilliseconds(3));
        _statistics.Answered(RequestKind.Heartbeat, 503, TimeSpan.FromMilliseconds(1));
        _statistics.Failed(RequestKind.Heartbeat, "timeout");
        var report = _statistics.Report(TimeSpan.FromSeconds(2));
        report.Keys.ShouldBe(["heartbeat"]);
        var heartbeat = report["heartbeat"];
        heartbeat.Count.ShouldBe(4);
        heartbeat.PerSecond.ShouldBe(2);
        heartbeat.Statuses.ShouldBe(new Dictionary<string, long> { ["200"] = 2, ["503"] = 1 });
        heartbeat.Failures.ShouldBe(new Dictionary<string, long> { ["timeout"] = 1 });
        heartbeat.LatencyMs!.Max.ShouldBe(3);
        _statistics.Totals().ShouldBe((4, 2));
    }

    [Fact]
    public void How_long_a_held_request_took_is_not_a_latency()
    {
        _statistics.Answered(RequestKind.HeldConfiguration, 304, TimeSpan.FromMinutes(4));
        _statistics.Report(TimeSpan.FromMinutes(5))["heldConfiguration"].LatencyMs.ShouldBeNull();
    }

    [Fact]
    public void What_came_before_the_scenario_does_not_count()
    {
        _statistics.Answered(RequestKind.Enrolment, 200, TimeSpan.FromSeconds(1));
        _statistics.Reset();
        _statistics.Report(TimeSpan.FromSeconds(1)).ShouldBeEmpty();
    }

    [Fact]
    public void A_report_is_json_with_the_names_that_the_documentation_gives()
    {
        _statistics.Answered(RequestKind.Registration, 200, TimeSpan.FromMilliseconds(12.5));
        var report = new FleetReport
        {
            Scenario = "cold-start",
            Devices = 1,
            Started = DateTimeOffset.UnixEpoch,
            Seconds = 2,
            Complete = true,
            Phases = new Dictionary<string, int> { ["registered"] = 1 },
            ColdStart = new StageReport(1, 0.5, 2),
            Requests = _statistics.Report(TimeSpan.FromSeconds(2)),
            Traffic = new TrafficReport(10, 20, 1),
            Simulator = new ProcessReport(0.1, 0.05, 30),
        };
        var json = System.Text.Json.Nodes.JsonNode.Parse(report.ToJson())!;
        ((int)json["phases"]!["registered"]!).ShouldBe(1);
        ((double)json["coldStart"]!["perSecond"]!).ShouldBe(2);
        ((long)json["requests"]!["registration"]!["statuses"]!["200"]!).ShouldBe(1);
        ((double)json["requests"]!["registration"]!["latencyMs"]!["p99"]!).ShouldBe(12.5, 0.5);
        ((long)json["traffic"]!["bytesReceived"]!).ShouldBe(20);
        ((double)json["simulator"]!["cpuCores"]!).ShouldBe(0.05);
        json.AsObject().ContainsKey("server").ShouldBeFalse();
    }
}
