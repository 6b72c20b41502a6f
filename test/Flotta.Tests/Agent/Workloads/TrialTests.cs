using Flotta.Agent.Workloads;

namespace Flotta.Tests.Agent.Workloads;

/// <summary>A new version on trial: proven by running on, taken back when it does not.</summary>
public sealed class TrialTests
{
    private static readonly TimeSpan Now = TimeSpan.FromHours(1);
    private static readonly DesiredPod Web = Desired.Pod(Desired.Web());
    private static readonly ItemState OnTrial = ItemState.Fresh with { Good = "before", TrialHash = Web.Manifest!.Hash, TrialSince = Now };

    [Fact]
    public void A_version_that_has_just_started_is_on_trial() =>
        After(TimeSpan.FromSeconds(9), OnTrial with { UpSince = Now }, Running()).ShouldBe("web: keep: it is as desired, wait: on trial");

    [Fact]
    public void One_that_has_run_on_for_ten_seconds_is_proven() =>
        After(TimeSpan.FromSeconds(10), OnTrial with { UpSince = Now }, Running()).ShouldStartWith("web: keep: it is as desired, proven ");

    [Fact]
    public void One_that_did_its_work_and_ended_well_is_proven()
    {
        var done = Ended(0) with { RestartPolicy = RestartPolicy.OnFailure };
        var state = OnTrial.Seen(done, Now);
        After(TimeSpan.FromSeconds(10), state, done).ShouldContain("proven ");
    }

    [Fact]
    public void One_that_ends_again_and_again_gives_way_to_the_last_good_one()
    {
        After(TimeSpan.FromSeconds(4), OnTrial with { Restarts = 1 }, Ended(3)).ShouldNotContain("take back");
        After(TimeSpan.FromSeconds(4), OnTrial with { Restarts = 2, DownSince = Now }, Ended(3)).ShouldBe("web: take back: container web-main ended with code 3");
        After(TimeSpan.FromSeconds(4), OnTrial, Ended(3) with { RestartPolicy = RestartPolicy.Never }).ShouldContain("take back");
    }

    [Fact]
    public void One_that_is_not_up_by_its_deadline_gives_way_too() =>
        After(TimeSpan.FromMinutes(3), OnTrial, Running() with { Containers = [new ActualContainer("c1", "web-main", "running")] }).ShouldBe("web: take back: it was not up within 3 minutes");

    [Fact]
    public void With_nothing_to_go_back_to_it_is_looked_after_like_any_other() =>
        After(TimeSpan.FromMinutes(4), OnTrial with { Good = null, Restarts = 7, DownSince = Now }, Ended(3)).ShouldStartWith("web: start: ");

    [Fact]
    public void An_update_that_was_taken_back_is_tried_ever_more_rarely()
    {
        Enumerable.Range(1, 4).Select(times => Backoff.AfterTakingBack(times).TotalMinutes).ShouldBe([5, 10, 20, 40]);
        CsCheck.Check.Sample(CsCheck.Gen.Int[1, int.MaxValue], times => Backoff.AfterTakingBack(times) <= TimeSpan.FromHours(6));
    }

    [Fact]
    public void Another_version_begins_another_trial()
    {
        var later = Now + TimeSpan.FromMinutes(2);
        var state = OnTrial.Seen(Running() with { Hash = "next" }, later);
        (state.TrialHash, state.TrialSince, state.UpSince).ShouldBe(("next", later, later));
    }

    private static string After(TimeSpan time, ItemState state, ActualPod pod) =>
        Plan.Between([Web], [pod], new Dictionary<string, ItemState>(StringComparer.Ordinal) { ["web"] = state }, Now + time).ToString();

    private static ActualPod Running() => new()
    {
        Id = "id",
        Name = "web",
        Status = "Running",
        Ours = true,
        Workload = "web",
        Hash = Web.Manifest!.Hash,
        InfraRunning = true,
        Containers = [new ActualContainer("c1", "web-main", "running")],
    };

    private static ActualPod Ended(int code) => Running() with { Status = "Exited", Containers = [new ActualContainer("c1", "web-main", "exited", code)] };
}
