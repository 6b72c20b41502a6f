using System.Text;

namespace Flotta.EndToEnd.Playbooks;

/// <summary>From kubectl apply of an EdgeConfig to what real Ansible changed, and back to the conditions that people see.</summary>
public sealed class PlaybookTests(ITestOutputHelper log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private const UnixFileMode Everybody = (UnixFileMode)511;
    private static readonly string Greeting = Path.Combine(Programs.Root, "deploy", "samples", "edgeconfig-greeting.yaml");

    [Fact]
    public async Task The_sample_waits_for_ansible_changes_a_file_is_reported_and_leaves_with_its_config()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        using var folder = new TemporaryFolder();
        var path = WithoutAnsible(folder.Sub("bin"));
        // A place of its own for its runs: an agent that another test killed may have left one in the machine's.
        var temporary = folder.Sub("tmp");
        var environment = new Dictionary<string, string> { ["PATH"] = path, ["TMPDIR"] = temporary };
        await using var device = Device.Start(site.Plane, "till-07", folder.Sub("device"), site.Podman.Socket, environment);
        const string File = "/var/tmp/flotta-greeting.txt";
        System.IO.File.Delete(File);
        try
        {
            await device.IsAsync("Connected", "True");
            await site.Plane.KubectlAsync("label", "edgedevice", "till-07", "config/device-by-config=greeting");
            await site.Plane.KubectlAsync("apply", "-f", Greeting);
            await Eventually.TrueAsync(async () => (await site.Plane.KubectlAsync("describe", "edgedevice", "till-07")).Contains("AnsibleMissing", StringComparison.Ordinal), Patience, () => device.Program.Said);
            (await site.Plane.KubectlAsync("describe", "playbookexecution", "till-07-greeting-0")).ShouldContain("Install it (the package ansible-core)");
            System.IO.File.Exists(File).ShouldBeFalse();

            System.IO.File.CreateSymbolicLink(Path.Combine(path, "ansible-playbook"), "/usr/bin/ansible-playbook");
            await IsAsync(site, "till-07-greeting-1", "SuccessfullyCompleted", device);
            (await System.IO.File.ReadAllTextAsync(File)).ShouldBe("hello from Flotta\nwith kind regards, Ansible\n");
            (await TrueTypesAsync(site, "till-07-greeting-0")).ShouldBe("SuccessfullyCompleted");
            (await site.Plane.FieldAsync("playbookexecution", "till-07-greeting-0", ".status.tasks[*].name")).ShouldBe("Write the file");
            (await site.Plane.FieldAsync("playbookexecution", "till-07-greeting-0", ".status.tasks[*].outcome")).ShouldBe("changed");
            (await site.Plane.FieldAsync("playbookexecution", "till-07-greeting-0", ".status.attempts")).ShouldBe("1");
            await Eventually.EqualsAsync("True", () => site.Plane.FieldAsync("edgeconfig", "greeting", ".status.edgePlaybookStatus.conditions[?(@.type==\"Completed\")].status"), Patience);
            await Eventually.TrueAsync(async () => !(await site.Plane.FieldAsync("edgedevice", "till-07", ".metadata.labels")).Contains("device-by-config", StringComparison.Ordinal), Patience);

            await site.Plane.KubectlAsync("delete", "edgeconfig", "greeting", "--timeout=120s");
            await Eventually.EqualsAsync("", () => site.Plane.FieldAsync("edgedevice", "till-07", ".status.PlaybookExec[*].name"), Patience);
            await Eventually.EqualsAsync("", async () => (await site.Plane.KubectlAsync("get", "playbookexecutions", "-o", "name")).Trim(), Patience);
            // The device hears of it by itself, a moment later.
            await Eventually.TrueAsync(() => Task.FromResult(Directory.GetFiles(Path.Combine(device.Folder, "playbooks"), "*.yml") is []), Patience, () => device.Program.Said);
            Directory.GetDirectories(temporary, "flotta-playbook-*").ShouldBeEmpty();
            device.Program.Said.ShouldNotContain("kind regards");
            site.Plane.Program.Said.ShouldNotContain("kind regards");
        }
        finally
        {
            System.IO.File.Delete(File);
        }
    }

    [Fact]
    public async Task Each_strategy_and_every_option_does_what_it_says()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        using var folder = new TemporaryFolder();
        var open = Open(folder);
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Plane.KubectlAsync("label", "edgedevice", "till-07", "config/a=once", "config/b=stop", "config/c=again", "config/d=slow", "config/e=options");
        const string Fails = "fail: {msg: as it should}";
        await ApplyAsync(site, "once", "", ("ExecuteOnce", "", Fails), ("", "", $"copy: {{dest: {open}/once, content: x}}"));
        await ApplyAsync(site, "stop", "", ("StopOnFailure", "", Fails), ("", "", $"copy: {{dest: {open}/stop, content: x}}"));
        await ApplyAsync(site, "again", "", ("RetryOnFailure", "", $"shell: echo x >> {open}/again; test $(wc -l < {open}/again) -ge 2"));
        await ApplyAsync(site, "slow", "", ("", "timeoutSeconds: 3", "shell: sleep 6543 & sleep 6543"));
        await ApplyAsync(
            site,
            "options",
            "nobody",
            ("", "requiredPrivilegeLevel: {capAdd: [12]}", $"shell: (id -un; grep CapEff /proc/self/status) > {open}/options"),
            ("", "ansibleOptions: {check: true}", $"copy: {{dest: {open}/checked, content: x}}"));

        await IsAsync(site, "till-07-once-0", "CompletedWithError", device);
        await IsAsync(site, "till-07-once-1", "SuccessfullyCompleted", device);
        await IsAsync(site, "till-07-stop-0", "CompletedWithError", device);
        (await site.Plane.FieldAsync("playbookexecution", "till-07-stop-0", ".status.conditions[?(@.status==\"True\")].message")).ShouldContain("as it should");
        await IsAsync(site, "till-07-stop-1", "CompletedWithError", device);
        (await site.Plane.FieldAsync("playbookexecution", "till-07-stop-1", ".status.conditions[?(@.status==\"True\")].reason")).ShouldBe("EarlierFailed");
        System.IO.File.Exists(Path.Combine(open, "once")).ShouldBeTrue();
        System.IO.File.Exists(Path.Combine(open, "stop")).ShouldBeFalse();

        await IsAsync(site, "till-07-slow-0", "CompletedWithError", device);
        (await site.Plane.FieldAsync("playbookexecution", "till-07-slow-0", ".status.conditions[?(@.status==\"True\")].reason")).ShouldBe("TimedOut");
        Sleeping("6543").ShouldBe(0, "nothing of a run outlives its deadline");

        await IsAsync(site, "till-07-options-0", "SuccessfullyCompleted", device);
        var said = await System.IO.File.ReadAllTextAsync(Path.Combine(open, "options"));
        said.ShouldStartWith("nobody\n");
        said.ShouldContain("0000000000001000", Case.Sensitive, "NET_ADMIN, the capability 12, and nothing else");
        await IsAsync(site, "till-07-options-1", "SuccessfullyCompleted", device);
        (await site.Plane.FieldAsync("playbookexecution", "till-07-options-1", ".status.tasks[*].outcome")).ShouldBe("changed");
        System.IO.File.Exists(Path.Combine(open, "checked")).ShouldBeFalse("check changes nothing");

        await IsAsync(site, "till-07-again-0", "SuccessfullyCompleted", device);
        (await site.Plane.FieldAsync("playbookexecution", "till-07-again-0", ".status.attempts")).ShouldBe("2");
        log.WriteLine(device.Program.Said);
    }

    [Fact]
    public async Task An_agent_killed_in_the_middle_runs_again_only_what_may_run_twice()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        using var folder = new TemporaryFolder();
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Plane.KubectlAsync("label", "edgedevice", "till-07", "config/a=work");
        var (once, again) = (Path.Combine(folder.Path, "once"), Path.Combine(folder.Path, "again"));
        await ApplyAsync(site, "work", "", ("ExecuteOnce", "", $"shell: echo x >> {once}; sleep 7654"), ("RetryOnFailure", "", $"shell: echo x >> {again}; test $(wc -l < {again}) -ge 2 || sleep 7654"));

        foreach (var file in new[] { once, again })
        {
            await Eventually.TrueAsync(() => Task.FromResult(System.IO.File.Exists(file)), Patience, () => device.Program.Said);
            await device.KillAsync();
            device.StartAgain();
        }

        await IsAsync(site, "till-07-work-1", "SuccessfullyCompleted", device);
        await IsAsync(site, "till-07-work-0", "CompletedWithError", device);
        (await site.Plane.FieldAsync("playbookexecution", "till-07-work-0", ".status.conditions[?(@.status==\"True\")].reason")).ShouldBe("Interrupted");
        (await System.IO.File.ReadAllTextAsync(once)).ShouldBe("x\n", "at most once, whatever happens");
        (await System.IO.File.ReadAllTextAsync(again)).ShouldBe("x\nx\n");
        (await site.Plane.FieldAsync("playbookexecution", "till-07-work-1", ".status.attempts")).ShouldBe("2");
        Sleeping("7654").ShouldBe(0, "what was left of a killed run is ended");

        // Gone with its config while it runs.
        await site.Plane.KubectlAsync("label", "edgedevice", "till-07", "config/b=endless");
        var endless = Path.Combine(folder.Path, "endless");
        await ApplyAsync(site, "endless", "", ("ExecuteOnce", "", $"shell: echo x >> {endless}; sleep 8765"));
        await Eventually.TrueAsync(() => Task.FromResult(System.IO.File.Exists(endless)), Patience, () => device.Program.Said);
        await IsAsync(site, "till-07-endless-0", "Running", device);
        await site.Plane.KubectlAsync("delete", "edgeconfig", "endless", "--timeout=120s");
        await Eventually.TrueAsync(() => Task.FromResult(Sleeping("8765") == 0), Patience, () => device.Program.Said);
    }

    [Fact]
    public async Task Who_may_becomes_somebody_else_by_sudo_and_su_and_who_may_not_is_told()
    {
        await using var ada = await MachineUser.MakeAsync("flotta-test-ada");
        await using var bob = await MachineUser.MakeAsync("flotta-test-bob");
        await ada.MaySudoAsync();
        await using var site = await Site.StartAsync("--auto-approve");
        using var folder = new TemporaryFolder();
        var open = Open(folder);
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Plane.KubectlAsync("label", "edgedevice", "till-07", "config/a=sudo", "config/b=su", "config/c=refused");
        await ApplyAsync(
            site,
            "sudo",
            ada.Name,
            ("", "", $"copy: {{dest: {open}/plain, content: x}}"),
            ("", "privilegeEscalationOptions: {become: true, becomeMethod: sudo}", $"copy: {{dest: {open}/sudo, content: x}}"),
            ("", "privilegeEscalationOptions: {becomeMethod: sudo}", $"copy: {{dest: {open}/unasked, content: x}}"),
            ("", "timeoutSeconds: 20\n      privilegeEscalationOptions: {become: true, becomeMethod: sudo}", $"shell: id -un > {open}/begun; sleep 5432"));
        await ApplyAsync(site, "su", "", ("", $"privilegeEscalationOptions: {{become: true, becomeMethod: su, becomeUser: {bob.Name}}}", $"copy: {{dest: {open}/su, content: x}}"));
        await ApplyAsync(
            site,
            "refused",
            bob.Name,
            ("", "privilegeEscalationOptions: {become: true, becomeMethod: sudo}", $"copy: {{dest: {open}/refused, content: x}}"),
            ("", "privilegeEscalationOptions: {become: true, becomeMethod: su}", $"copy: {{dest: {open}/refused, content: x}}"));

        await IsAsync(site, "till-07-sudo-2", "SuccessfullyCompleted", device);
        (await OwnerAsync(open, "plain")).ShouldBe(ada.Name);
        (await OwnerAsync(open, "sudo")).ShouldBe("root");
        (await OwnerAsync(open, "unasked")).ShouldBe(ada.Name, "a method alone asks for nothing");
        await IsAsync(site, "till-07-sudo-3", "CompletedWithError", device);
        (await System.IO.File.ReadAllTextAsync(Path.Combine(open, "begun"))).ShouldBe("root\n");
        (await site.Plane.FieldAsync("playbookexecution", "till-07-sudo-3", ".status.conditions[?(@.status==\"True\")].reason")).ShouldBe("TimedOut");
        Sleeping("5432").ShouldBe(0, "sudo takes the mark of the run out of the environment, and what it runs ends all the same");

        await IsAsync(site, "till-07-su-0", "SuccessfullyCompleted", device);
        (await OwnerAsync(open, "su")).ShouldBe(bob.Name);

        foreach (var (execution, why) in new[] { ("till-07-refused-0", "password is required"), ("till-07-refused-1", "Authentication failure") })
        {
            await IsAsync(site, execution, "CompletedWithError", device);
            (await site.Plane.FieldAsync("playbookexecution", execution, ".status.conditions[?(@.status==\"True\")].reason")).ShouldBe("TasksFailed");
            (await site.Plane.FieldAsync("playbookexecution", execution, ".status.conditions[?(@.status==\"True\")].message")).ShouldContain(why);
        }

        System.IO.File.Exists(Path.Combine(open, "refused")).ShouldBeFalse();

        var (exitCode, _, said) = await site.Plane.TryKubectlAsync(
            "patch", "edgeconfig", "su", "--type=json", "-p", """[{"op":"replace","path":"/spec/edgePlaybook/playbooks/0/privilegeEscalationOptions/becomeMethod","value":"doas"}]""");
        exitCode.ShouldNotBe(0);
        said.ShouldContain("becomeMethod: Unsupported value: \"doas\"");
    }

    /// <summary>A folder that everybody may write to.</summary>
    private static string Open(TemporaryFolder folder)
    {
        var open = folder.Sub("open");
        System.IO.File.SetUnixFileMode(folder.Path, Everybody);
        System.IO.File.SetUnixFileMode(open, Everybody);
        return open;
    }

    private static async Task IsAsync(Site site, string execution, string type, Device device) =>
        await Eventually.TrueAsync(async () => await TrueTypesAsync(site, execution) == type, Patience, () => $"{execution} should be {type}.\n{device.Program.Said}");

    private static Task<string> TrueTypesAsync(Site site, string execution) => site.Plane.FieldAsync("playbookexecution", execution, ".status.conditions[?(@.status==\"True\")].type");

    private static async Task<string> OwnerAsync(string folder, string file) => (await RunningProgram.RunAsync("stat", ["--format=%U", Path.Combine(folder, file)])).Output;

    private static Task ApplyAsync(Site site, string name, string user, params (string Strategy, string Options, string Task)[] playbooks)
    {
        var manifest = new StringBuilder($"""
            apiVersion: management.project-flotta.io/v1alpha1
            kind: EdgeConfig
            metadata:
              name: {name}
            spec:
              edgePlaybook:
                user: "{user}"
                playbooks:

            """);
        foreach (var (strategy, options, task) in playbooks)
        {
            var content = Convert.ToBase64String(Encoding.UTF8.GetBytes($"- hosts: all\n  gather_facts: false\n  tasks:\n    - {task}\n"));
            manifest.AppendLine($"    - content: {content}").AppendLine($"      executionStrategy: \"{strategy}\"");
            if (options.Length > 0)
                manifest.AppendLine("      " + options);
        }

        return site.Plane.ApplyAsync(manifest.ToString());
    }

    /// <summary>A PATH on which everything is but ansible.</summary>
    private static string WithoutAnsible(string folder)
    {
        foreach (var program in new[] { "/usr/sbin", "/usr/bin" }.SelectMany(Directory.EnumerateFiles))
        {
            if (!Path.GetFileName(program).StartsWith("ansible", StringComparison.Ordinal) && !System.IO.File.Exists(Path.Combine(folder, Path.GetFileName(program))))
                System.IO.File.CreateSymbolicLink(Path.Combine(folder, Path.GetFileName(program)), program);
        }

        return folder;
    }

    private static int Sleeping(string seconds) => Directory.EnumerateDirectories("/proc").Count(process =>
    {
        try
        {
            return System.IO.File.ReadAllText(Path.Combine(process, "cmdline")) == $"sleep\0{seconds}\0";
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    });
}
