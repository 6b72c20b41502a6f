using System.Text;
using Flotta.Agent.Playbooks;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Tests.Agent.Playbooks;

public sealed class PlaybookCommandTests
{
    private static readonly Account Root = new("root", 0, 0, "/root");
    private static readonly Account Ada = new("ada", 1000, 100, "/home/ada");

    [Fact]
    public void A_plain_playbook_runs_as_the_agent_in_a_session_of_its_own() =>
        Line(new(), Root).ShouldBe("setsid /usr/bin/ansible-playbook --inventory 127.0.0.1, --connection local -- /tmp/x/playbook.yml");

    [Fact]
    public void Every_option_has_its_flag_and_values_cannot_become_flags()
    {
        Line(new() { Check = true, Become = true, BecomeMethod = "su", BecomeUser = "--extra-vars=@/etc/shadow" }, Root)
            .ShouldBe("setsid /usr/bin/ansible-playbook --inventory 127.0.0.1, --connection local --check --become --become-method=su --become-user=--extra-vars=@/etc/shadow -- /tmp/x/playbook.yml");
        Line(new() { BecomeUser = "ada" }, Root).ShouldNotContain("become");
    }

    [Fact]
    public void Another_user_gets_the_capabilities_that_are_given_and_root_loses_those_that_are_taken()
    {
        Line(new() { CapAdd = [12, 0, 12], CapDrop = [0] }, Ada).ShouldStartWith("setsid setpriv --reuid=1000 --regid=100 --init-groups --inh-caps=+cap_12 --ambient-caps=+cap_12 --bounding-set=-cap_0 -- /usr/bin");
        Line(new() { CapAdd = [12], CapDrop = [21, 16] }, Root).ShouldStartWith("setsid setpriv --inh-caps=-cap_16,-cap_21 --bounding-set=-cap_16,-cap_21 -- /usr/bin");
    }

    [Fact]
    public void What_cannot_be_is_said()
    {
        PlaybookCommand.Problem(new(), Root, Root).ShouldBeNull();
        PlaybookCommand.Problem(new() { CapDrop = [37] }, Root, Ada).ShouldBeNull();
        PlaybookCommand.Problem(new() { User = "bob" }, Root, null).ShouldBe("There is no user bob on this device.");
        PlaybookCommand.Problem(new(), Ada, Root)!.ShouldContain("only root may run playbooks as root");
        PlaybookCommand.Problem(new() { CapAdd = [1] }, Ada, Ada)!.ShouldContain("only root may give");
        PlaybookCommand.Problem(new() { CapAdd = [38] }, Root, Root)!.ShouldContain("no capability 38");
        PlaybookCommand.Problem(new() { CapAdd = [-1] }, Root, Root)!.ShouldContain("no capability -1");
        PlaybookCommand.Problem(new() { BecomeMethod = "runas" }, Root, Root)!.ShouldContain("sudo or su");
    }

    [Fact]
    public void The_deadline_is_the_original_s_where_none_is_given_and_never_endless()
    {
        PlaybookCommand.DeadlineOf(new()).ShouldBe(TimeSpan.FromSeconds(300));
        PlaybookCommand.DeadlineOf(new() { TimeoutSeconds = 7 }).ShouldBe(TimeSpan.FromSeconds(7));
        PlaybookCommand.DeadlineOf(new() { TimeoutSeconds = 0 }).ShouldBe(TimeSpan.FromSeconds(300));
        PlaybookCommand.DeadlineOf(new() { TimeoutSeconds = long.MaxValue }).ShouldBe(TimeSpan.FromDays(1));
    }

    [Fact]
    public void What_is_kept_of_a_long_playbook_is_its_beginning_its_end_and_what_failed()
    {
        var events = new TaskEvents();
        events.Add("PLAY [all] ***"u8);
        events.Add("{\"task\":"u8);
        events.Add("{\"stats\":[1]}"u8);
        for (var number = 0; number < 1000; number++)
            events.Add(Encoding.UTF8.GetBytes($$"""{"task":"t{{number}}","outcome":"{{(number == 500 ? "failed" : "ok")}}","message":{{(number == 500 ? "\"" + new string('x', 9000) + "\"" : "null")}}}"""));
        events.Add("""{"stats":{"ok":999,"failures":1,"skipped":0}}"""u8);
        events.Tasks.Count.ShouldBe(TaskEvents.MostFirst + 1 + TaskEvents.MostLast);
        events.Tasks[TaskEvents.MostFirst].Name.ShouldBe("(960 tasks in between)");
        events.Tasks[^1].Name.ShouldBe("t999");
        events.Failed!.Name.ShouldBe("t500");
        events.Failed.Message!.Length.ShouldBe(400);
        events.Summary.ShouldStartWith("Task \"t500\" failed: xxx");
        events.Summary.ShouldEndWith("(ok=999 failures=1)");
    }

    [Fact]
    public void An_error_in_the_playbook_is_told_by_its_first_line_alone()
    {
        var ended = PlaybookCommand.Ended(4, new TaskEvents(), "[WARNING]: something\nERROR! 'coppy' is not a valid attribute for a Play\n\nThe offending line appears to be:\n  password: sesame\n");
        (ended.Succeeded, ended.Reason, ended.Message).ShouldBe((false, Reasons.PlaybookInvalid, "ERROR! 'coppy' is not a valid attribute for a Play"));
        PlaybookCommand.Ended(0, new TaskEvents(), "").Succeeded.ShouldBeTrue();
        PlaybookCommand.Ended(99, new TaskEvents(), "").Message.ShouldBe("ansible-playbook ended with code 99.");
    }

    [Fact]
    public void A_line_of_passwd_is_read_and_nonsense_is_nobody()
    {
        Accounts.Parse("ada:x:1000:100:Ada,,,:/home/ada:/bin/bash\n").ShouldBe(Ada);
        Accounts.Parse("ada:x:one:100:Ada:/home/ada:/bin/bash").ShouldBeNull();
        Accounts.Parse("").ShouldBeNull();
    }

    [Fact]
    public void The_answer_s_content_is_a_text_that_holds_a_list_and_anything_else_is_no_answer()
    {
        Tasks("""{"directive":"ansible","content":"[{\"name\":\"dev-setup\",\"ansible_playbook_string\":\"- hosts: \\u003call\\u003e\"},null,{\"name\":\"empty\"}]"}""")!.Single().AnsiblePlaybookString.ShouldBe("- hosts: <all>");
        Tasks("""{"content":"[]"}""")!.ShouldBeEmpty();
        Tasks("""{"content":"{}"}""").ShouldBeNull();
        Tasks("""{"content":[]}""").ShouldBeNull();
        Tasks("").ShouldBeNull();
        Delivery.Read(new Answer { Status = 500 }).ShouldBeNull();

        static IReadOnlyList<PlaybookTask>? Tasks(string body) => Delivery.Read(new Answer { Status = 200, Body = Encoding.UTF8.GetBytes(body) });
    }

    [Fact]
    public void A_server_that_lists_playbooks_is_asked_for_those_one_that_does_not_push_every_so_often_and_else_nobody()
    {
        Wanted.Of(null, pushes: true).IsOn.ShouldBeFalse();
        Wanted.Of(new(60, ["a"]), pushes: true).Keys.ShouldBe(["a"]);
        Wanted.Of(new(60, ["a"]), pushes: false).Keys.ShouldBe(["a"]);
        Wanted.Of(null, pushes: false).ShouldBe(new(null, TimeSpan.FromSeconds(60)));
        Wanted.Of(new(600), pushes: true).ShouldBe(new(null, TimeSpan.FromSeconds(600)));
        Wanted.Of(new(1), pushes: false).Poll.ShouldBe(TimeSpan.FromSeconds(5));
    }

    private static string Line(PlaybookOptions options, Account user) => string.Join(' ', PlaybookCommand.Arguments(options, Root, user, "/usr/bin/ansible-playbook", "/tmp/x/playbook.yml"));
}
