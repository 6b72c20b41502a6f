using Flotta.Agent.OperatingSystem;
using Flotta.Agent.Processes;

namespace Flotta.Tests.Agent.OperatingSystem;

/// <summary>What the three systems are asked, with fakes of their tools; and what of ostree works without a booted image, with the real one.</summary>
public sealed class HostSystemTests : IDisposable
{
    private static readonly string One = new('1', 64);
    private static readonly string Two = new('2', 64);
    private readonly FakeHost host = new();

    [Fact]
    public async Task A_machine_of_packages_is_none_of_the_three()
    {
        File.Delete(host.In("run/ostree-booted"));
        host.Add("ostree");
        (await host.Tools.FindAsync(default)).ShouldBeNull();
    }

    [Fact]
    public async Task Rpm_ostree_deploys_exactly_the_commit_that_it_looked_at()
    {
        host.Add("rpm-ostree");
        host.Says("rpm-ostree", $$"""{"deployments":[{"booted":true,"checksum":"{{One}}","origin":"iot:fedora/x86_64/iot","osname":"fedora"}]}""");
        var system = (await host.Tools.FindAsync(default)).ShouldBeOfType<RpmOstreeHost>();
        (await system.LookAsync(default)).ShouldBe(new HostState(One, null));
        await system.StageAsync(Two, "https://commits.example.com/repo", default);
        host.Calls[^2..].ShouldBe([$"rpm-ostree deploy --preview {Two}", $"rpm-ostree deploy {Two}"]);
        (await File.ReadAllTextAsync(host.In("etc/ostree/remotes.d/iot.conf"))).ShouldContain("url=https://commits.example.com/repo\n");
        host.Says("rpm-ostree", $$"""{"deployments":[{"staged":true,"checksum":"{{Two}}"},{"booted":true,"base-checksum":"{{One}}","checksum":"layered"}]}""");
        (await system.LookAsync(default)).ShouldBe(new HostState(One, Two));
        await system.TakeBackAsync(One, default);
        host.Calls[^1].ShouldBe("rpm-ostree rollback");
    }

    [Fact]
    public async Task A_failed_preview_deploys_nothing_and_says_why()
    {
        host.Add("rpm-ostree");
        host.Fails("rpm-ostree", "error: no such commit");
        (await Should.ThrowAsync<HostException>(new RpmOstreeHost(host.Tools).StageAsync(Two, null, default))).Message.ShouldContain("no such commit");
        host.Calls.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Bootc_switches_to_the_image_by_its_digest()
    {
        host.Add("bootc");
        host.Says("bootc", """{"status":{"booted":{"image":{"image":{"image":"quay.io/shop/os:9","transport":"registry"},"imageDigest":"sha256:aa"}},"staged":null}}""");
        var system = (await host.Tools.FindAsync(default)).ShouldBeOfType<BootcHost>();
        (await system.LookAsync(default)).ShouldBe(new HostState("sha256:aa", null));
        await system.StageAsync("sha256:bb", null, default);
        host.Calls[^1].ShouldBe("bootc switch quay.io/shop/os@sha256:bb");
        await system.StageAsync("registry.example.com:5000/os@sha256:cc", null, default);
        host.Calls[^1].ShouldBe("bootc switch registry.example.com:5000/os@sha256:cc");
        await Should.ThrowAsync<HostException>(system.StageAsync("latest", null, default));
        await Should.ThrowAsync<HostException>(system.StageAsync("--apply@sha256:cc", null, default));
        await system.TakeBackAsync("sha256:aa", default);
        host.Calls[^1].ShouldBe("bootc rollback");
    }

    [Fact]
    public async Task What_is_taken_back_already_is_not_taken_back_again_which_would_undo_it()
    {
        host.Add("rpm-ostree");
        host.Says("rpm-ostree", $$"""{"deployments":[{"checksum":"{{One}}"},{"booted":true,"checksum":"{{Two}}"}]}""");
        await new RpmOstreeHost(host.Tools).TakeBackAsync(One, default);
        host.Calls.ShouldBe(["rpm-ostree status --json"]);

        host.Add("bootc");
        var system = new BootcHost(host.Tools);
        foreach (var (queued, last) in ((string, string)[])[("false", "bootc rollback"), ("true", "bootc status --format=json")])
        {
            host.Says("bootc", $$$"""{"status":{"booted":{"image":{"imageDigest":"sha256:bb"}},"rollback":{"image":{"imageDigest":"sha256:aa"}},"rollbackQueued":{{{queued}}},"staged":null}}""");
            await system.TakeBackAsync("quay.io/shop/os@sha256:aa", default);
            host.Calls[^1].ShouldBe(last);
        }
    }

    [Fact]
    public async Task Ostree_pulls_and_deploys_and_makes_the_one_of_before_the_default_again()
    {
        host.Add("ostree");
        host.Says("ostree", $"* edge {One}.0\n    Version: 1\n    origin refspec: edge:os/main\n  edge {Two}.1 (rollback)\n    Version: 0\n");
        var system = (await host.Tools.FindAsync(default)).ShouldBeOfType<OstreeHost>();
        (await system.LookAsync(default)).ShouldBe(new HostState(One, null));
        await system.StageAsync(Two, "http://commits.example.com", default);
        host.Calls[^2..].ShouldBe([$"ostree pull --repo={host.In("ostree/repo")} edge {Two}", $"ostree admin deploy --sysroot={host.In("")} --os=edge {Two}"], customMessage: string.Join('\n', host.Calls));
        await system.TakeBackAsync(Two, default);
        host.Calls[^1].ShouldBe($"ostree admin deploy --sysroot={host.In("")} --os=edge {Two}");
    }

    [Theory]
    [InlineData("[remote \"edge\"]\nurl=http://old\ngpg-verify=true\n", "[remote \"edge\"]\nurl=http://new\ngpg-verify=true\n")]
    [InlineData("[remote \"edge\"]\ngpg-verify=true\n", "[remote \"edge\"]\nurl=http://new\ngpg-verify=true\n")]
    public void A_remote_keeps_what_people_gave_it(string before, string after) => RemoteFile.Text(before, "edge", "http://new").ShouldBe(after);

    [Theory]
    [InlineData("ftp://x")]
    [InlineData("http://x\ngpg-verify=false")]
    public void An_address_that_is_none_is_refused(string url) => Should.Throw<HostException>(() => RemoteFile.Point(host.In(""), "edge", url));

    [Fact]
    public async Task The_real_ostree_fetches_from_the_remote_deploys_and_lists_as_we_read_it()
    {
        var (repository, sysroot) = (host.In("served"), Directory.CreateDirectory(host.In("sysroot")).FullName);
        await OstreeAsync("init", "--repo=" + repository, "--mode=archive");
        var commits = new List<string>();
        foreach (var version in (string[])["1", "2"])
        {
            // As much of an operating system as ostree asks for.
            var tree = host.In("tree-" + version);
            var modules = Directory.CreateDirectory(Path.Combine(tree, "usr/lib/modules/6.1.0"));
            Directory.CreateDirectory(Path.Combine(tree, "usr/etc"));
            await File.WriteAllTextAsync(Path.Combine(modules.FullName, "vmlinuz"), "kernel " + version);
            await File.WriteAllTextAsync(Path.Combine(tree, "usr/lib/os-release"), $"NAME=edge\nID=edge\nPRETTY_NAME=\"edge {version}\"\n");
            commits.Add((await OstreeAsync("commit", "--repo=" + repository, "--branch=os/main", "--tree=dir=" + tree)).Trim());
        }

        await OstreeAsync("admin", "init-fs", sysroot);
        await OstreeAsync("admin", "os-init", "--sysroot=" + sysroot, "edge");
        Directory.CreateDirectory(Path.Combine(sysroot, "boot/loader.0"));
        await OstreeAsync("remote", "add", "--repo=" + Path.Combine(sysroot, "ostree/repo"), "--no-gpg-verify", "edge", new Uri(repository).AbsoluteUri);
        var tools = new HostTools(sysroot, []);
        foreach (var commit in commits)
        {
            await tools.RunAsync(HostTools.Slow, "ostree", ["pull", "--repo=" + Path.Combine(sysroot, "ostree/repo"), "edge", commit], default);
            await tools.RunAsync(HostTools.Slow, "ostree", ["admin", "deploy", "--sysroot=" + sysroot, "--os=edge", commit], default);
        }

        var listed = OstreeHost.Deployments(await tools.RunAsync(HostTools.Quick, "ostree", ["admin", "status", "--sysroot=" + sysroot], default));
        listed.Count.ShouldBe(2);
        listed[0].ShouldSatisfyAllConditions(first => first.Commit.ShouldBe(commits[1]), first => first.Os.ShouldBe("edge"), first => first.Booted.ShouldBeFalse());
        await new OstreeHost(tools).TakeBackAsync(commits[0], default);
        OstreeHost.Deployments(await tools.RunAsync(HostTools.Quick, "ostree", ["admin", "status", "--sysroot=" + sysroot], default))[0].Commit.ShouldBe(commits[0]);
        (await Should.ThrowAsync<HostException>(new OstreeHost(tools).LookAsync(default))).Message.ShouldBe("ostree does not say what the machine runs");
        (await Should.ThrowAsync<HostException>(tools.RunAsync(HostTools.Quick, "ostree", ["pull", "--repo=" + Path.Combine(sysroot, "ostree/repo"), "edge", Two], default))).Message.ShouldStartWith("ostree pull: ");
        // Deployments are immutable, also for who cleans up.
        await Tool.RunAsync("chattr", ["-R", "-i", sysroot], null, TimeSpan.FromMinutes(1), default);
    }

    public void Dispose() => host.Dispose();

    private static async Task<string> OstreeAsync(params string[] arguments)
    {
        var result = await Tool.RunAsync("ostree", arguments, null, TimeSpan.FromMinutes(1), default);
        result.ExitCode.ShouldBe(0, result.Errors);
        return result.Output;
    }
}
