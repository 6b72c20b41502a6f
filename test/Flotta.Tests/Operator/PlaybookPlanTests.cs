using Flotta.Kube;
using Flotta.Operator.Playbooks;
using Flotta.Resources;

namespace Flotta.Tests.Operator;

public sealed class PlaybookPlanTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Every_playbook_of_a_labelled_config_gets_an_execution_with_its_options()
    {
        var plan = Plan(Device(), Config("one", "two"));
        plan.Create.Select(playbook => playbook.Metadata.Name).ShouldBe(["dev-setup-0", "dev-setup-1"]);
        var first = plan.Create[0];
        first.Spec.Playbook!.TimeoutSeconds.ShouldBe(7);
        first.Metadata.Annotations["flotta/user"].ShouldBe("root");
        first.Metadata.OwnerReferences.ShouldHaveSingleItem().Name.ShouldBe("setup");
        plan.Entries!.Select(entry => (entry.Name, entry.PlaybookExecutionStatus!.Conditions!.Single().Type)).ShouldBe([("dev-setup-0", "Deploying"), ("dev-setup-1", "Deploying")]);
        plan.Unlabel.ShouldBeEmpty();
    }

    [Fact]
    public void What_is_there_already_is_left_alone()
    {
        var (device, executions) = Settled("one", "two");
        Plan(device, Config("one", "two"), executions).IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void When_all_have_ended_the_label_goes_and_only_then()
    {
        var (device, executions) = Settled("one", "two");
        Plan(device, Config("one", "two"), [Ended(executions[0]), executions[1]]).IsEmpty.ShouldBeTrue();
        Plan(device, Config("one", "two"), [Ended(executions[0]), Ended(executions[1], "CompletedWithError")]).Unlabel.ShouldBe(["config/device-by-config"]);
    }

    [Fact]
    public void After_the_label_is_gone_what_ended_is_marked_and_a_new_label_runs_it_again_under_another_name()
    {
        var (device, executions) = Settled("one");
        var ended = Ended(executions[0]);
        var without = device with { Metadata = new() { Name = "dev", NamespaceProperty = "ns" } };
        Plan(without, Config("one"), [ended]).MarkDone.ShouldBe([ended]);
        ended.Metadata.Annotations["flotta/done"] = "true";
        Plan(without, Config("one"), [ended]).MarkDone.ShouldBeEmpty();
        var again = Plan(device, Config("one"), [ended]);
        again.Create.Single().Metadata.Name.ShouldBe("dev-setup-0-r1");
        again.Create.Single().Spec.ExecutionAttempt.ShouldBe(1);
        again.Delete.ShouldBe([ended]);
        again.Entries!.Single().Name.ShouldBe("dev-setup-0-r1");
    }

    [Fact]
    public void A_playbook_that_changes_is_run_again_where_the_label_still_is()
    {
        var (device, executions) = Settled("one", "two");
        var plan = Plan(device, Config("one", "other"), executions);
        plan.Create.Single().Metadata.Name.ShouldBe("dev-setup-1-r1");
        plan.Delete.ShouldBe([executions[1]]);
        Plan(device, Config("one"), executions).Delete.ShouldBe([executions[1]]);
    }

    [Fact]
    public void What_has_not_run_goes_with_the_label_the_config_or_the_device()
    {
        var (device, executions) = Settled("one");
        Plan(device with { Metadata = new() { Name = "dev", NamespaceProperty = "ns" } }, Config("one"), executions).Delete.ShouldBe(executions);
        Plan(device, null, executions).Delete.ShouldBe(executions);
        Plan(null, Config("one"), executions).Delete.ShouldBe(executions);
    }

    [Fact]
    public void A_config_without_playbooks_is_no_trouble()
    {
        var config = Config() with { Spec = new() };
        Plan(Device(), config).IsEmpty.ShouldBeTrue();
        Plan(Device(), config with { Spec = new() { EdgePlaybook = new() } }).IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void Names_that_are_too_long_are_cut_and_stay_apart()
    {
        var (one, other) = (Names.PlaybookExecution(new string('d', 200), new string('c', 100), 0), Names.PlaybookExecution(new string('d', 200), new string('c', 100), 1));
        one.Length.ShouldBeLessThanOrEqualTo(253);
        one.ShouldNotBe(other);
    }

    [Fact]
    public void A_name_that_another_devices_playbook_has_is_told_apart_by_a_hash()
    {
        var plan = PlaybookPlan.For(new("ns", "dev"), Device(), _ => Config("one", "two"), [], name => name == "dev-setup-0", Now);
        var apart = plan.Create[0].Metadata.Name;
        apart.ShouldMatch("^dev-setup-0-[0-9a-f]{10}$");
        plan.Create[1].Metadata.Name.ShouldBe("dev-setup-1");
        plan.Entries!.Select(entry => entry.Name).ShouldBe([apart, "dev-setup-1"], ignoreOrder: true);
        PlaybookPlan.For(new("ns", "dev"), Device() with { Status = new() { PlaybookExec = plan.Entries } }, _ => Config("one", "two"), plan.Create, _ => false, Now).IsEmpty.ShouldBeTrue();
        Names.PlaybookExecutionApart("store-1", "cam-setup", 0).ShouldNotBe(Names.PlaybookExecutionApart("store-1-cam", "setup", 0));
        Names.PlaybookExecutionApart(new string('d', 200), new string('c', 100), 0).Length.ShouldBeLessThanOrEqualTo(253);
    }

    private static PlaybookPlan Plan(EdgeDevice? device, EdgeConfig? config, params IReadOnlyList<PlaybookExecution> present) =>
        PlaybookPlan.For(new ObjectKey("ns", "dev"), device, name => name == "setup" ? config : null, present, _ => false, Now);

    private static (EdgeDevice Device, IReadOnlyList<PlaybookExecution> Executions) Settled(params string[] playbooks)
    {
        var plan = Plan(Device(), Config(playbooks));
        return (Device() with { Status = new() { PlaybookExec = plan.Entries } }, plan.Create);
    }

    private static PlaybookExecution Ended(PlaybookExecution playbook, string how = "SuccessfullyCompleted") =>
        playbook with { Status = new() { Conditions = [new() { Type = "Deploying", Status = "False" }, new() { Type = how, Status = "True" }] } };

    private static EdgeDevice Device() => new()
    {
        Metadata = new() { Name = "dev", NamespaceProperty = "ns", Labels = new Dictionary<string, string> { ["config/device-by-config"] = "setup", ["other"] = "x" } },
    };

    private static EdgeConfig Config(params string[] playbooks) => new()
    {
        Metadata = new() { Name = "setup", NamespaceProperty = "ns", Uid = "u" },
        Spec = new() { EdgePlaybook = new() { User = "root", Playbooks = [.. playbooks.Select(text => new Playbook { Content = System.Text.Encoding.UTF8.GetBytes(text), TimeoutSeconds = 7 })] } },
    };
}
