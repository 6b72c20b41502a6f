using Flotta.Agent.Playbooks;
using Flotta.Wire;

namespace Flotta.Tests.Agent.Playbooks;

public sealed class ExecutionPlanTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly Attempt Well = new(Succeeded: true, Reason: null, "ok=1", []);
    private static readonly Attempt Badly = new(Succeeded: false, Reasons.TasksFailed, "Task \"copy\" failed", [new() { Name = "copy", Outcome = "failed" }]);

    [Fact]
    public void Playbooks_of_a_config_run_in_their_order_and_one_at_a_time()
    {
        var known = ExecutionPlan.Delivered([], [Task(1), Task(0), Task(0, config: "other")]);
        ExecutionPlan.Next(known, Now)!.Key.ShouldBe("setup-0");
        known = ExecutionPlan.Started(known, "setup-0", "mark");
        ExecutionPlan.Next(known, Now).ShouldBeNull();
        known = ExecutionPlan.Ended(known, "setup-0", Well, Now);
        ExecutionPlan.Next(known, Now)!.Key.ShouldBe("setup-1");
        Statuses(known).ShouldBe([("setup-1", "Deploying", null), ("setup-0", "SuccessfullyCompleted", null), ("other-0", "Deploying", null)]);
    }

    [Fact]
    public void What_was_delivered_before_is_not_delivered_again_and_without_a_uid_its_content_tells_it_apart()
    {
        var known = ExecutionPlan.Ended(ExecutionPlan.Started(ExecutionPlan.Delivered([], [Task(0)]), "setup-0", "mark"), "setup-0", Well, Now);
        ExecutionPlan.Delivered(known, [Task(0)]).ShouldBe(known);
        var original = new PlaybookTask { Name = "dev-setup", AnsiblePlaybookString = "- a" };
        ExecutionPlan.KeyOf(original).ShouldBe(ExecutionPlan.KeyOf(original with { LastDataUpload = Now }));
        ExecutionPlan.KeyOf(original).ShouldNotBe(ExecutionPlan.KeyOf(original with { AnsiblePlaybookString = "- b" }));
    }

    [Theory]
    [InlineData("ExecuteOnce", "Failed", "Waiting")]
    [InlineData("somebody's own", "Failed", "Waiting")]
    [InlineData("StopOnFailure", "Failed", "Failed")]
    [InlineData("RetryOnFailure", "Waiting", "Waiting")]
    public void A_failure_means_what_the_strategy_says(string strategy, string first, string second)
    {
        var known = ExecutionPlan.Delivered([], [Task(0, strategy), Task(1)]);
        known = ExecutionPlan.Ended(ExecutionPlan.Started(known, "setup-0", "mark"), "setup-0", Badly, Now);
        known.Select(one => one.State.ToString()).ShouldBe([first, second]);
        ExecutionPlan.Next(known, Now)?.Key.ShouldBe("setup-1");
        (ExecutionPlan.Next(known, Now) is not null).ShouldBe(first == "Failed" && second == "Waiting", "one that is tried again holds up those after it, and so does one that stops");
    }

    [Fact]
    public void Retries_have_growing_pauses_and_come_to_an_end()
    {
        var known = ExecutionPlan.Delivered([], [Task(0, "RetryOnFailure"), Task(1)]);
        var pauses = new List<double>();
        for (var attempt = 1; attempt <= ExecutionPlan.MostAttempts; attempt++)
        {
            known = ExecutionPlan.Ended(ExecutionPlan.Started(known, "setup-0", "mark"), "setup-0", Badly, Now);
            if (known[0].NotBefore is { } then)
            {
                pauses.Add((then - Now).TotalSeconds);
                ExecutionPlan.Next(known, Now).ShouldBeNull();
                ExecutionPlan.Next(known, then)!.Key.ShouldBe("setup-0");
                ExecutionPlan.Statuses(known, ansible: true, Now)[0].Reason.ShouldBe(Reasons.BackOff);
                ExecutionPlan.Statuses(known, ansible: true, Now)[0].Message!.ShouldContain("Task \"copy\" failed");
            }
        }

        pauses.ShouldBe([10, 20, 40, 80, 160]);
        known[0].State.ShouldBe(ExecutionState.Failed);
        known[0].Attempts.ShouldBe(ExecutionPlan.MostAttempts);
        ExecutionPlan.Next(known, Now)!.Key.ShouldBe("setup-1", "only StopOnFailure stops the others");
    }

    [Fact]
    public void What_is_due_and_waits_for_another_is_no_reason_to_look_again()
    {
        var known = ExecutionPlan.Delivered([], [Task(0, "RetryOnFailure"), Task(0, config: "other")]);
        known = ExecutionPlan.Ended(ExecutionPlan.Started(known, "setup-0", "mark"), "setup-0", Badly, Now);
        var due = Now.AddSeconds(10);
        ExecutionPlan.NextAt(known, Now).ShouldBe(due);
        known = ExecutionPlan.Started(known, "other-0", "mark");
        ExecutionPlan.NextAt(known, due).ShouldBeNull();
    }

    [Fact]
    public void A_retry_is_due_once_the_clock_was_set_back_further_than_any_pause()
    {
        var known = ExecutionPlan.Delivered([], [Task(0, "RetryOnFailure")]);
        known = ExecutionPlan.Ended(ExecutionPlan.Started(known, "setup-0", "mark"), "setup-0", Badly, Now);
        ExecutionPlan.Next(known, Now.AddMinutes(-1)).ShouldBeNull();
        var before = Now.AddHours(-1);
        ExecutionPlan.Next(known, before)!.Key.ShouldBe("setup-0");
        ExecutionPlan.NextAt(known, before).ShouldBeNull();
        ExecutionPlan.Statuses(known, ansible: true, before)[0].Reason.ShouldNotBe(Reasons.BackOff);
    }

    [Theory]
    [InlineData("ExecuteOnce", "Failed")]
    [InlineData("StopOnFailure", "Failed")]
    [InlineData("RetryOnFailure", "Waiting")]
    public void After_a_kill_only_what_may_run_twice_runs_again(string strategy, string state)
    {
        var known = ExecutionPlan.Recovered(ExecutionPlan.Started(ExecutionPlan.Delivered([], [Task(0, strategy)]), "setup-0", "mark"), Now);
        known.Single().State.ToString().ShouldBe(state);
        known.Single().Reason.ShouldBe(Reasons.Interrupted);
        known.Single().Mark.ShouldBeNull();
    }

    [Fact]
    public void A_later_part_that_comes_late_is_stopped_by_an_earlier_failure_and_a_new_run_is_not()
    {
        var known = ExecutionPlan.Ended(ExecutionPlan.Started(ExecutionPlan.Delivered([], [Task(0, "StopOnFailure")]), "setup-0", "mark"), "setup-0", Badly, Now);
        known = ExecutionPlan.Delivered(known, [Task(1)]);
        known.Single(one => one.Key == "setup-1").Reason.ShouldBe(Reasons.EarlierFailed);

        known = ExecutionPlan.Delivered(known, [Task(0, "StopOnFailure", uid: "again-0"), Task(1, uid: "again-1")]);
        ExecutionPlan.Next(known, Now)!.Key.ShouldBe("again-0");
        known = ExecutionPlan.Ended(ExecutionPlan.Started(known, "again-0", "mark"), "again-0", Well, Now);
        ExecutionPlan.Next(known, Now)!.Key.ShouldBe("again-1");
    }

    [Fact]
    public void What_nobody_wants_any_more_is_forgotten_but_what_ran_never_runs_again()
    {
        var known = ExecutionPlan.Delivered([], [Task(0), Task(1), Task(2)]);
        known = ExecutionPlan.Ended(ExecutionPlan.Started(known, "setup-0", "mark"), "setup-0", Badly, Now);
        known = ExecutionPlan.Started(known, "setup-1", "mark");
        known = ExecutionPlan.Listed(known, []);
        known.Select(one => one.Key).ShouldBe(["setup-0", "setup-1"], "the one that waited is gone, the one that runs is to be stopped");
        known[0].Tasks.ShouldBeNull();
        ExecutionPlan.Statuses(known, ansible: true, Now).ShouldBeEmpty();
        known = ExecutionPlan.Ended(known, "setup-1", Badly, Now);
        ExecutionPlan.Next(ExecutionPlan.Delivered(known, [Task(0), Task(1)]), Now).ShouldBeNull();
    }

    [Fact]
    public void Only_so_many_are_remembered()
    {
        IReadOnlyList<Execution> known = [];
        for (var number = 0; number < ExecutionPlan.MostRemembered + 10; number++)
        {
            var key = $"setup-{number}";
            known = ExecutionPlan.Delivered(known, [Task(number)]);
            known = ExecutionPlan.Listed(ExecutionPlan.Ended(ExecutionPlan.Started(known, key, "mark"), key, Well, Now), []);
        }

        known.Count.ShouldBe(ExecutionPlan.MostRemembered);
        known[^1].Key.ShouldBe("setup-73");
    }

    [Fact]
    public void Tasks_are_told_until_the_server_has_heard_them_and_a_missing_ansible_is_said_to_be_missing()
    {
        var known = ExecutionPlan.Delivered([], [Task(0), Task(1)]);
        ExecutionPlan.Statuses(known, ansible: false, Now).Select(one => one.Reason).ShouldBe([Reasons.AnsibleMissing, Reasons.AnsibleMissing]);
        ExecutionPlan.Statuses(known, ansible: true, Now)[1].Reason.ShouldBe(Reasons.WaitsForEarlier);
        known = ExecutionPlan.Started(known, "setup-0", "mark");
        var running = ExecutionPlan.Statuses(known, ansible: true, Now);
        known = ExecutionPlan.Ended(known, "setup-0", Badly, Now);
        ExecutionPlan.Told(known, running).ShouldBe(known, "that it runs is not that it ended");
        var ended = ExecutionPlan.Statuses(known, ansible: true, Now);
        (ended[0].Status, ended[0].Uid, ended[0].Attempts, ended[0].Tasks!.Count).ShouldBe(("CompletedWithError", "setup-0", 1, 1));
        known = ExecutionPlan.Told(known, ended);
        var later = ExecutionPlan.Statuses(known, ansible: true, Now)[0];
        (later.Status, later.Reason, later.Tasks).ShouldBe(("CompletedWithError", Reasons.TasksFailed, null));
    }

    private static PlaybookTask Task(int index, string? strategy = null, string config = "setup", string? uid = null) => new()
    {
        Name = $"{config}-{index}",
        Uid = uid ?? $"{config}-{index}",
        Config = config,
        Index = index,
        AnsiblePlaybookString = "- hosts: all",
        Options = strategy is null ? null : new PlaybookOptions { ExecutionStrategy = strategy },
    };

    private static IEnumerable<(string?, string?, string?)> Statuses(IReadOnlyList<Execution> known) => ExecutionPlan.Statuses(known, ansible: true, Now).Select(one => (one.Name, one.Status, one.Reason));
}
