using Flotta.Agent.Workloads;

namespace Flotta.Tests.Agent.Workloads;

public sealed class PlanTests
{
    private static readonly TimeSpan Now = TimeSpan.FromHours(1);
    private static readonly DesiredPod Web = Desired.Pod(Desired.Web());

    [Fact]
    public void What_is_not_there_is_pulled_created_and_started() =>
        Between([Web], []).ShouldBe($"web: pull localhost/web:1 (IfNotPresent), create {Hash12}, start: new");

    [Fact]
    public void What_is_as_desired_is_kept() => Between([Web], [Pod("web")]).ShouldBe("web: keep: it is as desired");

    [Fact]
    public void What_has_changed_is_pulled_and_rehearsed_before_the_old_pod_is_stopped() =>
        Between([Web], [Pod("web") with { Hash = "old", GraceSeconds = 7 }])
            .ShouldBe($"web: pull localhost/web:1 (IfNotPresent), rehearse, stop: it has changed, remove web, create {Hash12}, start: changed");

    [Fact]
    public void What_is_not_desired_goes() => Between([], [Pod("gone")]).ShouldBe("gone: stop: it is not desired, remove gone");

    [Fact]
    public void Foreign_pods_are_nobodys_business()
    {
        Between([], [Pod("theirs") with { Ours = false }]).ShouldBeEmpty();
        var plan = Of([Web], [Pod("web") with { Ours = false }]);
        plan.ToString().ShouldBe("web: keep: left alone");
        plan.Workloads[0].Reason.ShouldBe(Reasons.NameTaken);
        plan.Workloads[0].HasWork.ShouldBeFalse();
    }

    [Fact]
    public void A_rehearsal_that_a_crash_cut_short_goes_first() =>
        Between([Web], [Pod("web"), Pod("flotta-rehearsal-1") with { Rehearsal = true, Workload = "web" }])
            .ShouldBe("web: stop: it is not desired, remove flotta-rehearsal-1, keep: it is as desired");

    [Fact]
    public void A_held_workload_stays_as_it_is()
    {
        var held = Desired.Pod(Desired.Web() with { Hold = "no Secret" });
        var plan = Of([held], [Pod("web") with { Hash = "old" }]);
        plan.ToString().ShouldBe("web: keep: it is as desired");
        (plan.Workloads[0].Reason, plan.Workloads[0].Message).ShouldBe((Reasons.Held, "no Secret"));
        Between([held], []).ShouldBe("web: keep: there is nothing to run");
    }

    [Fact]
    public void An_older_configuration_makes_changes_and_removes_nothing_and_what_runs_is_looked_after()
    {
        var ended = Pod("web", "Exited", new ActualContainer("c1", "web-main", "exited", 1)) with { Hash = "newer" };
        var plan = Plan.Between([Web, Desired.Pod(Desired.Web() with { Name = "gone" })], [ended, Pod("added"), Pod("theirs") with { Ours = false }, Pod("flotta-rehearsal-1") with { Rehearsal = true }],
            new Dictionary<string, ItemState>(StringComparer.Ordinal), Now, outdated: true);
        plan.ToString().ShouldBe("""
            web: start: container web-main ended with code 1
            gone: keep: the server has to say first whether it is still wanted
            added: keep: it is as desired
            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Only_the_files_of_a_workload_that_goes_are_removed()
    {
        Of([], [Pod("gone")]).Workloads[0].IsRemoval.ShouldBeTrue();
        var held = Desired.Pod(Desired.Web() with { Hold = "no Secret" });
        Of([held], [Pod("web", "Running", new ActualContainer("c1", "web-main", "running") { Unhealthy = "no answer" })]).Workloads[0].IsRemoval.ShouldBeFalse();
        Of([held], [Pod("web"), Pod("flotta-rehearsal-1") with { Rehearsal = true, Workload = "web" }]).Workloads[0].IsRemoval.ShouldBeFalse();
        Of([Web], [Pod("web") with { Hash = "old" }]).Workloads[0].IsRemoval.ShouldBeFalse();
    }

    [Fact]
    public void A_pod_that_was_created_and_never_started_is_started() =>
        Between([Web], [Pod("web", "Created", new ActualContainer("c1", "web-main", "created"))]).ShouldBe("web: start: container web-main has not run yet");

    [Theory]
    [InlineData(RestartPolicy.Always, 0, "web: start: container web-main ended with code 0")]
    [InlineData(RestartPolicy.Always, 3, "web: start: container web-main ended with code 3")]
    [InlineData(RestartPolicy.OnFailure, 0, "web: keep: it has ended")]
    [InlineData(RestartPolicy.OnFailure, 3, "web: start: container web-main ended with code 3")]
    [InlineData(RestartPolicy.Never, 3, "web: keep: it has ended")]
    public void What_has_ended_is_started_again_as_its_restart_policy_says(object policy, int code, string expected) =>
        Between([Web], [Pod("web", "Exited", new ActualContainer("c1", "web-main", "exited", code)) with { RestartPolicy = (RestartPolicy)policy }]).ShouldBe(expected);

    [Fact]
    public void Only_the_container_that_ended_is_started_while_others_run()
    {
        var pod = Pod("web", "Degraded", new ActualContainer("c1", "web-a", "exited", 1), new ActualContainer("c2", "web-b", "running")) with { InfraRunning = true };
        var start = Of([Web], [pod]).Workloads[0].Steps.ShouldHaveSingleItem().ShouldBeOfType<Step.Start>();
        start.Containers.ShouldBe(["c1"]);
        Of([Web], [pod with { InfraRunning = false }]).Workloads[0].Steps.OfType<Step.Start>().Single().Containers.ShouldBeEmpty();
    }

    [Fact]
    public void What_ends_again_and_again_waits_longer_each_time()
    {
        var pod = Pod("web", "Exited", new ActualContainer("c1", "web-main", "exited", 1));
        var state = ItemState.Fresh with { Restarts = 4, Jitter = 0.5, DownSince = Now };
        var wait = Of([Web], [pod], state).Workloads[0];
        wait.Steps.ShouldHaveSingleItem().ShouldBeOfType<Step.Wait>().Until.ShouldBe(Now + TimeSpan.FromSeconds(8));
        wait.Reason.ShouldBe(Reasons.ContainerExited);
        Of([Web], [pod], state with { DownSince = Now - TimeSpan.FromSeconds(8) }).Workloads[0].HasWork.ShouldBeTrue();
    }

    [Fact]
    public void A_long_run_forgives_the_restarts_of_before()
    {
        var running = Pod("web");
        var ended = Pod("web", "Exited", new ActualContainer("c1", "web-main", "exited", 1));
        var state = (ItemState.Fresh with { Restarts = 9 }).Seen(running, Now).Seen(running, Now + TimeSpan.FromMinutes(5));
        state.Seen(ended, Now + TimeSpan.FromMinutes(9)).Restarts.ShouldBe(9);
        state.Seen(ended, Now + TimeSpan.FromMinutes(10)).Restarts.ShouldBe(0);
    }

    [Fact]
    public void After_a_failure_the_next_try_waits_and_the_old_pod_is_looked_after_meanwhile()
    {
        var state = ItemState.Fresh.Failed(Web.Manifest!.Fingerprint, Reasons.ImagePullFailed, "no route", TimeSpan.Zero, Now, 0.5);
        Between([Web], [], state).ShouldBe("web: wait: ImagePullFailed");
        Between([Web], [Pod("web") with { Hash = "old" }], state).ShouldBe("web: keep: it is as desired, wait: ImagePullFailed");
        Of([Web], [Pod("web", "Exited", new ActualContainer("c1", "web-main", "exited", 1)) with { Hash = "old" }], state).Workloads[0].Steps[0].ShouldBeOfType<Step.Start>();

        var due = state with { NotBefore = Now };
        Of([Web], [], due).Workloads[0].HasWork.ShouldBeTrue();
        var changed = Desired.Pod(Desired.Web(image: "localhost/web:2"));
        Of([changed], [], state).Workloads[0].HasWork.ShouldBeTrue("a change is tried at once");
    }

    [Fact]
    public void A_pod_that_will_not_start_is_made_anew_now_and_then()
    {
        var state = ItemState.Fresh with { Fingerprint = Web.Manifest!.Fingerprint, Failures = 3, Reason = Reasons.StartFailed };
        var pod = Pod("web", "Created", new ActualContainer("c1", "web-main", "created"));
        Between([Web], [pod], state).ShouldContain("stop: it does not start, remove web, create");
        Between([Web], [pod], state with { Failures = 4 }).ShouldBe("web: start: container web-main has not run yet");
        // podman holds on to the port of a start that failed half-way, and says that it is in use, for as long as the pod exists.
        Between([Web], [pod], state with { Reason = Reasons.PortInUse }).ShouldContain("stop: it does not start, remove web, create");
    }

    [Fact]
    public void Of_two_workloads_with_one_name_the_first_has_it()
    {
        var pods = DesiredPod.From(new DesiredWorkloads([Desired.Web(), Desired.Web(image: "localhost/other:1")], []), "till-07", Desired.Folders);
        pods.ShouldHaveSingleItem().Manifest!.Images[0].Reference.ShouldBe("localhost/web:1");
    }

    [Fact]
    public void Pauses_grow_to_five_minutes_and_no_further()
    {
        Backoff.After(0, 0.5).ShouldBe(TimeSpan.Zero);
        Enumerable.Range(1, 4).Select(tries => Backoff.After(tries, 0.5).TotalSeconds).ShouldBe([1, 2, 4, 8]);
        CsCheck.Check.Sample(
            CsCheck.Gen.Select(CsCheck.Gen.Int[1, int.MaxValue], CsCheck.Gen.Double[0, 1]),
            (tries, jitter) => Backoff.After(tries, jitter).TotalSeconds is >= 0.875 and <= 337.5);
    }

    private static string Hash12 => Web.Manifest!.Hash[..12];

    private static ActualPod Pod(string name, string status = "Running", params ActualContainer[] containers) => new()
    {
        Id = "id-" + name,
        Name = name,
        Status = status,
        Ours = true,
        Workload = name,
        Hash = Web.Manifest!.Hash,
        Containers = containers.Length > 0 ? containers : [new ActualContainer("c1", name + "-main", "running")],
    };

    private static Plan Of(DesiredPod[] desired, ActualPod[] actual, ItemState? state = null, bool unproven = false) =>
        Plan.Between(desired, actual, new Dictionary<string, ItemState>(StringComparer.Ordinal) { ["web"] = (state ?? ItemState.Fresh) with { Good = unproven ? null : Web.Manifest!.Hash } }, Now);

    private static string Between(DesiredPod[] desired, ActualPod[] actual, ItemState? state = null) => Of(desired, actual, state).ToString();
}
