using Flotta.Agent.Workloads;

namespace Flotta.Tests.Agent.Workloads.Units;

/// <summary>Units of systemd as text, and what is written and removed.</summary>
public sealed class UnitTests
{
    private static readonly string Golden = Path.Combine(Repository.Root, "test", "Flotta.Tests", "Agent", "Workloads", "Units", "Golden");
    private static readonly UnitSpec Web = new("web", "till-07", "/var/lib/flotta-agent/workloads/web/pod.yaml", "podman", RestartPolicy.Always, 10);

    public static TheoryData<string, string, string, bool> Cases => new()
    {
        { "always", "Always", "4.3.1", false },
        { "no-generator", "Always", "4.9.3", false },
        { "quadlet", "Always", "4.4.0", true },
        { "quadlet-without-network", "Always", "5.4.2", true },
        { "on-failure", "OnFailure", "4.3.1", false },
        { "on-failure-told", "OnFailure", "5.4.2", true },
        { "odd-path", "Always", "4.3.1", false },
        { "rootless", "Always", "4.3.1", false },
        { "rootless-told", "OnFailure", "4.9.3", false },
    };

    /// <summary>FLOTTA_GOLDEN=write writes the files.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void A_unit_is_written_as_its_golden_file_says(string name, string policy, string podman, bool generator)
    {
        var unit = Render(name, policy, podman, generator);
        var golden = Path.Combine(Golden, name + Path.GetExtension(unit.Name));
        if (Environment.GetEnvironmentVariable("FLOTTA_GOLDEN") == "write")
            File.WriteAllText(golden, unit.Text);
        unit.Text.ShouldBe(File.ReadAllText(golden));
        unit.Service.ShouldBe("flotta-workload-web.service");
    }

    [Fact]
    public async Task Systemd_takes_every_service_unit()
    {
        File.Exists("/usr/bin/systemd-analyze").ShouldBeTrue("scripts/setup.sh installs it");
        var folder = Directory.CreateTempSubdirectory("flotta-units-");
        try
        {
            foreach (var (name, policy, podman, generator) in Cases.Select(row => row.Data))
            {
                if (Render(name, policy, podman, generator) is not { Kind: UnitKind.Service } unit)
                    continue;
                // Whether podman is on this machine is not the question.
                File.WriteAllText(Path.Combine(folder.FullName, unit.Name), unit.Text.Replace("/usr/bin/podman", "/bin/true", StringComparison.Ordinal));
                var result = await Flotta.Agent.Processes.Tool.RunAsync("systemd-analyze", ["verify", Path.Combine(folder.FullName, unit.Name)], null, TimeSpan.FromMinutes(1), CancellationToken.None);
                result.Errors.ShouldNotContain(unit.Name, Case.Sensitive, name);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Only_units_with_this_devices_mark_are_touched()
    {
        var unit = Render("always", "Always", "4.3.1", false);
        FoundUnit Found(string name, string text, bool enabled = true) => new(UnitKind.Service, name, text, UnitText.DeviceOf(text), enabled);
        var theirs = unit.Text.Replace("till-07", "till-08", StringComparison.Ordinal);

        UnitPlan.Between([unit], [], "till-07").Write.ShouldBe([unit]);
        UnitPlan.Between([unit], [Found(unit.Name, unit.Text)], "till-07").HasWork.ShouldBeFalse();
        UnitPlan.Between([unit], [Found(unit.Name, unit.Text + "# changed\n")], "till-07").Write.ShouldBe([unit], "somebody changed it");
        UnitPlan.Between([unit], [Found(unit.Name, unit.Text, enabled: false)], "till-07").Write.ShouldBe([unit], "somebody disabled it");
        UnitPlan.Between([], [Found(unit.Name, unit.Text)], "till-07").Remove.Select(found => found.Name).ShouldBe([unit.Name]);
        UnitPlan.Between([], [Found(unit.Name, theirs), Found("flotta-workload-x.service", "[Service]\nExecStart=/bin/true\n")], "till-07").HasWork.ShouldBeFalse();
        var foreign = UnitPlan.Between([unit], [Found(unit.Name, theirs)], "till-07");
        (foreign.HasWork, foreign.Foreign[0]).ShouldBe((false, unit.Name));

        var quadlet = Render("quadlet", "Always", "4.4.0", true);
        var upgrade = UnitPlan.Between([quadlet], [Found(unit.Name, unit.Text)], "till-07");
        (upgrade.Write[0].Name, upgrade.Remove[0].Name).ShouldBe(("flotta-workload-web.kube", "flotta-workload-web.service"));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("restartPolicy: OnFailure", true)]
    [InlineData("restartPolicy: Never", false)]
    [InlineData("volumes: [{name: v, hostPath: {path: /mnt/disk/data}}]", false)]
    [InlineData("volumes: [{name: v, hostPath: {path: /mnt/diskette}}]", true)]
    public void What_cannot_start_without_the_agent_has_no_unit(string extra, bool has)
    {
        var manifest = Desired.Manifest(Desired.Web(extra: extra));
        var good = new LastGood(manifest.Hash, manifest.Document, manifest.Network, manifest.Volumes);
        (UnitSpec.Of("web", "till-07", good, "/p", ["/mnt/disk"]) is not null).ShouldBe(has);
        UnitSpec.Of("other", "till-07", good, "/p", []).ShouldBeNull("a record of another workload");
        UnitSpec.Of("web", "till-07", good with { Document = "{" }, "/p", []).ShouldBeNull();
    }

    [Fact]
    public void What_systemd_says_of_a_unit_is_understood()
    {
        ServiceState.Parse("Job=17\nActiveState=inactive\nSubState=dead\n").Starting.ShouldBeTrue("it waits for its turn");
        ServiceState.Parse("ActiveState=activating\nSubState=start\n").Starting.ShouldBeTrue();
        ServiceState.Parse("ActiveState=activating\nSubState=auto-restart\n").ShouldSatisfyAllConditions(state => state.Starting.ShouldBeFalse(), state => state.AtRest.ShouldBeFalse(), state => state.Running.ShouldBeFalse());
        ServiceState.Parse("ActiveState=failed\nSubState=failed\n").AtRest.ShouldBeTrue();
        ServiceState.Parse("ActiveState=active\nSubState=running\n").AtRest.ShouldBeFalse();
        ServiceState.Parse("").AtRest.ShouldBeTrue();
    }

    [Fact]
    public void Root_becomes_the_user_for_a_command_to_its_manager()
    {
        var scope = SystemdScope.Of(new Account("flotta", 997, 996, "/home/flotta"));
        var (program, arguments) = scope.Command(["daemon-reload"], isUser: false);
        $"{program} {string.Join(' ', arguments)}".ShouldBe(
            "setpriv --reuid=997 --regid=996 --init-groups env -u DBUS_SESSION_BUS_ADDRESS HOME=/home/flotta XDG_RUNTIME_DIR=/run/user/997 systemctl --user daemon-reload");
        scope.Command(["stop", "x"], isUser: true).Program.ShouldBe("env");
        SystemdScope.Of(null).Command(["stop", "x"], isUser: false).ShouldSatisfyAllConditions(command => command.Program.ShouldBe("systemctl"), command => command.Arguments.ShouldBe(["stop", "x"]));
    }

    [Fact]
    public void Units_are_not_written_through_links_in_a_users_home()
    {
        var home = Directory.CreateTempSubdirectory("flotta-home-");
        try
        {
            var elsewhere = Directory.CreateDirectory(Path.Combine(home.FullName, "elsewhere"));
            Directory.CreateDirectory(Path.Combine(home.FullName, "user"));
            File.CreateSymbolicLink(Path.Combine(home.FullName, "user", ".config"), elsewhere.FullName);
            var account = new Account("u", 0, 0, Path.Combine(home.FullName, "user"));
            var folder = new UnitFolder(SystemdScope.Of(account));
            Should.Throw<IOException>(() => folder.Write(Render("always", "Always", "4.3.1", false))).Message.ShouldContain("is a link");
            elsewhere.GetFileSystemInfos().ShouldBeEmpty();
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_unit_is_readable_enabled_and_gone_again()
    {
        var home = Directory.CreateTempSubdirectory("flotta-home-");
        try
        {
            var scope = SystemdScope.Of(null) with { UnitFolder = Path.Combine(home.FullName, "units"), QuadletFolder = Path.Combine(home.FullName, "quadlets") };
            var folder = new UnitFolder(scope);
            var unit = Render("always", "Always", "4.3.1", false);
            folder.Write(unit);
            folder.Write(unit);
            var found = folder.Read().ShouldHaveSingleItem();
            (found.Text, found.Device, found.Enabled).ShouldBe((unit.Text, "till-07", true));
            File.GetUnixFileMode(Path.Combine(scope.UnitFolder, unit.Name)).ShouldBe((UnixFileMode)0b110_100_100);
            folder.Write(Render("quadlet", "Always", "4.4.0", true));
            folder.Read().Count.ShouldBe(2);
            foreach (var one in folder.Read())
                folder.Remove(one.Kind, one.Name);
            Directory.GetFiles(home.FullName, "*", SearchOption.AllDirectories).ShouldBeEmpty();
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    private static UnitFile Render(string name, string policy, string podman, bool generator)
    {
        var spec = Web with { Policy = Enum.Parse<RestartPolicy>(policy) };
        if (name == "odd-path")
            spec = spec with { ManifestPath = "/data of \"mine\"/100%/$x\\y/pod.yaml", Network = null, GraceSeconds = 0 };
        var version = Version.Parse(podman);
        return UnitText.Render(spec, UnitText.KindOf(spec, version, generator), version, SystemdScope.Of(name.StartsWith("rootless", StringComparison.Ordinal) ? new Account("flotta", 997, 996, "/home/flotta") : null));
    }
}
