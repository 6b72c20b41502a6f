using Flotta.Agent.Workloads;

namespace Flotta.Tests.Agent.Workloads;

/// <summary>Probes: what is read of them, and what their answers come to.</summary>
public sealed class ProbeTests
{
    private static readonly TimeSpan Now = TimeSpan.FromHours(1);
    private static readonly ContainerProbe Live = new("main", ProbeKind.Liveness, new ProbeAction.Tcp(null, 80));

    [Fact]
    public void Probes_are_read_as_Kubernetes_writes_them_and_podman_sees_none()
    {
        var manifest = Desired.Manifest(Desired.Web(extra: """
              ports: [{name: web, containerPort: 8080, hostPort: 18080}]
              startupProbe: {exec: {command: [cat, 7]}, failureThreshold: 30, periodSeconds: 2}
              livenessProbe: {tcpSocket: {port: web}, initialDelaySeconds: 5, timeoutSeconds: 4}
              readinessProbe: {httpGet: {path: ready, port: 8080, scheme: HTTPS, httpHeaders: [{name: X-A, value: b}]}, successThreshold: 2}
            """));
        manifest.Document.ShouldNotContain("Probe");
        manifest.Probes.Count.ShouldBe(3);
        manifest.Probes[0].ShouldSatisfyAllConditions(
            probe => probe.Action.ShouldBeOfType<ProbeAction.Exec>().Command.ShouldBe(["cat", "7"]), probe => probe.Failures.ShouldBe(30), probe => probe.Period.TotalSeconds.ShouldBe(2));
        manifest.Probes[1].ShouldSatisfyAllConditions(
            probe => probe.Action.ShouldBe(new ProbeAction.Tcp(null, 8080)), probe => probe.Delay.TotalSeconds.ShouldBe(5), probe => probe.Timeout.TotalSeconds.ShouldBe(4),
            probe => probe.ThroughHost().Action.ShouldBe(new ProbeAction.Tcp("127.0.0.1", 18080)));
        var http = manifest.Probes[2].Action.ShouldBeOfType<ProbeAction.Http>();
        (http.Path, http.Port, http.Secure, http.Headers[0].Value, manifest.Probes[2].Successes).ShouldBe(("/ready", 8080, true, "b", 2));
    }

    [Theory]
    [InlineData("livenessProbe: {grpc: {port: 1}}", "none of exec, httpGet and tcpSocket")]
    [InlineData("livenessProbe: {exec: {command: []}}", "no command")]
    [InlineData("readinessProbe: {tcpSocket: {port: nope}}", "no usable port")]
    [InlineData("startupProbe: {tcpSocket: {port: 70000}}", "no usable port")]
    [InlineData("livenessProbe: {tcpSocket: {port: 80}, successThreshold: 2}", "can only be 1")]
    [InlineData("livenessProbe: {tcpSocket: {port: 80}, periodSeconds: -1}", "out of range")]
    [InlineData("livenessProbe: {httpGet: {port: 80, host: \"a/../b\"}}", "no usable host")]
    [InlineData("livenessProbe: {httpGet: {port: 80, path: \"/a\\r\\nX: y\"}}", "cannot be sent")]
    public void A_probe_that_makes_no_sense_says_why(string probe, string why) =>
        Desired.Pod(Desired.Web(extra: "  " + probe)).Message.ShouldNotBeNull().ShouldContain(why);

    [Fact]
    public void It_takes_as_many_answers_as_the_threshold_says()
    {
        var probe = Live with { Failures = 2, Successes = 2, Kind = ProbeKind.Readiness, Delay = TimeSpan.FromSeconds(7) };
        var state = ProbeState.Begin(probe, "run", Now);
        state.Due.ShouldBe(Now + probe.Delay);
        state = state.After(probe, null, Now);
        (state.Passes, state.Due).ShouldBe((null, Now + probe.Period));
        state = state.After(probe, null, Now);
        state.Passes.ShouldBe(true);
        state = state.After(probe, "no", Now);
        state.Passes.ShouldBe(true, "once is no proof");
        state = state.After(probe, null, Now).After(probe, "no", Now);
        state.Passes.ShouldBe(true, "not in a row");
        state = state.After(probe, "still no", Now);
        (state.Passes, state.Message).ShouldBe((false, "still no"));
    }

    [Fact]
    public void Until_it_has_come_up_nothing_else_of_it_counts()
    {
        var startup = Live with { Kind = ProbeKind.Startup };
        var ready = Live with { Kind = ProbeKind.Readiness };
        ProbeVerdict Of(bool? started, bool? lives, bool? isReady) => ProbeVerdict.Of([(startup, State(started)), (Live, State(lives)), (ready, State(isReady))]);
        Of(null, false, false).ShouldSatisfyAllConditions(verdict => verdict.Unhealthy.ShouldBeNull(), verdict => verdict.Unready!.ShouldContain("startup"));
        Of(false, true, true).Unhealthy!.ShouldContain("startup probe fails: because");
        Of(true, false, true).Unhealthy!.ShouldContain("liveness probe fails");
        Of(true, null, true).ShouldBe(ProbeVerdict.Well, "alive until the contrary is proven");
        Of(true, true, null).Unready!.ShouldContain("has not passed yet");
        Of(true, true, false).ShouldSatisfyAllConditions(verdict => verdict.Unhealthy.ShouldBeNull(), verdict => verdict.Unready!.ShouldContain("readiness probe fails"));
    }

    [Fact]
    public void A_container_that_is_not_well_is_ended_and_one_that_is_not_ready_is_no_proof()
    {
        var web = Desired.Pod(Desired.Web());
        var pod = new ActualPod
        {
            Id = "id", Name = "web", Status = "Running", Ours = true, Workload = "web", Hash = web.Manifest!.Hash, InfraRunning = true,
            Containers = [new ActualContainer("c1", "web-main", "running") { Unready = "its readiness probe has not passed yet" }],
        };
        var state = (ItemState.Fresh with { Good = "before" }).Seen(pod, Now);
        state.UpSince.ShouldBeNull();
        var plan = Between(web, pod, state, Now + TimeSpan.FromMinutes(1));
        (plan.Reason, plan.Message).ShouldBe((Reasons.NotReady, "container web-main: its readiness probe has not passed yet"));
        Between(web, pod, state, Now + TimeSpan.FromMinutes(3)).ToString().ShouldContain("take back: it was not up within 3 minutes: container web-main: its readiness probe");

        var sick = pod with { Containers = [new ActualContainer("c1", "web-main", "running") { Unhealthy = "its liveness probe fails: no answer" }] };
        var ended = Between(web, sick, state, Now);
        (ended.Reason, ended.Steps[0]).ShouldBe((Reasons.Unhealthy, new Step.StopContainer("c1", 10, "container web-main: its liveness probe fails: no answer")));
        Between(web, sick, state with { Restarts = 2 }, Now).ToString().ShouldContain("take back", Case.Sensitive, "a new version that is never well gives way");
    }

    private static WorkloadPlan Between(DesiredPod wanted, ActualPod pod, ItemState state, TimeSpan now) =>
        Plan.Between([wanted], [pod], new Dictionary<string, ItemState>(StringComparer.Ordinal) { ["web"] = state }, now).Workloads[0];

    private static ProbeState? State(bool? passes) => new("run", Now) { Passes = passes, Message = "because" };
}
