namespace Flotta.EndToEnd;

/// <summary>What a person on the machine does with the real program: look at the plan, and let the machine go.</summary>
public sealed class DecommissionTests
{
    [Fact]
    public async Task A_plan_tells_what_would_be_done_and_decommissioning_takes_what_is_ours_and_nothing_else()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var port = FreePort.Next();
        await site.Podman.RunAsync("volume", "create", "foreign");
        await site.Podman.RunAsync("run", "--detach", "--name", "foreign", PodmanHost.Image, "/bin/sleep", "100000");
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07")));
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
        await device.WorkloadIsAsync("hello", "Running");
        var containers = await site.ContainersAsync();
        var serial = await site.Plane.FieldAsync("edgedevice", "till-07", ".status.certificate.serial");

        // Beside the agent, and with nothing changed by it.
        var plan = await AgentAsync(device, site, "plan");
        (plan.ExitCode, plan.Output.Split('\n')[0]).ShouldBe((0, $"device till-07, configuration {await site.Plane.FieldAsync("edgedevice", "till-07", ".status.lastSyncedResourceVersion")}"));
        plan.Output.ShouldContain("hello: keep");
        var early = await AgentAsync(device, site, "decommission");
        early.ExitCode.ShouldBe(1, early.Said);
        early.Said.ShouldContain("Another flotta-agent is using");
        (await site.ContainersAsync()).ShouldBe(containers);

        await device.KillAsync();
        await site.Podman.RunAsync("pod", "rm", "--force", "--time", "0", "hello");
        (await AgentAsync(device, site, "plan")).Output.ShouldContain("create");
        (await site.PodsAsync()).ShouldBeEmpty();
        device.StartAgain();
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));

        await device.KillAsync();
        string[] kept = ["metrics", "logs", "data-sync", "playbooks"];
        foreach (var name in kept)
            Directory.CreateDirectory(Path.Combine(device.Folder, name));
        var gone = await AgentAsync(device, site, "decommission");
        gone.ExitCode.ShouldBe(0, gone.Said);
        kept.Where(name => Directory.Exists(Path.Combine(device.Folder, name))).ShouldBeEmpty();
        await IsCleanAsync(site, device);
        File.Exists(Path.Combine(device.Folder, "identity.pem")).ShouldBeTrue();
        (await AgentAsync(device, site, "plan")).ExitCode.ShouldBe(1);

        // It is who it was, and gets its workloads again.
        device.StartAgain();
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
        (await site.Plane.FieldAsync("edgedevice", "till-07", ".status.certificate.serial")).ShouldBe(serial);

        await device.KillAsync();
        (await AgentAsync(device, site, "decommission", "--wipe")).ExitCode.ShouldBe(0);
        await IsCleanAsync(site, device);
        foreach (var name in new[] { "identity.pem", "identity.previous.pem", "next-key.pem", "client-id" })
            File.Exists(Path.Combine(device.Folder, name)).ShouldBeFalse(name);
        // Twice does no harm.
        (await AgentAsync(device, site, "decommission", "--wipe")).ExitCode.ShouldBe(0);
    }

    private static async Task IsCleanAsync(Site site, Device device)
    {
        (await site.Podman.RunAsync("ps", "--all", "--format", "{{.Names}}")).Trim().ShouldBe("foreign");
        (await site.PodsAsync()).ShouldBeEmpty();
        (await site.Podman.RunAsync("volume", "ls", "--quiet")).Trim().ShouldBe("foreign");
        (await RunningProgram.RunAsync("nft", ["list", "table", "inet", Site.FirewallTable(device.Id)])).ExitCode.ShouldNotBe(0);
        foreach (var name in new[] { "desired.json", "desired.previous.json", "events.json", "connection.json", "mounts.json", "images.json" })
            File.Exists(Path.Combine(device.Folder, name)).ShouldBeFalse(name);
    }

    private static Task<(int ExitCode, string Output, string Said)> AgentAsync(Device device, Site site, params string[] verb) =>
        RunningProgram.RunAsync(Programs.Agent, [.. verb, "--data-dir", device.Folder, "--podman-socket", site.Podman.Socket, "--client-id", device.Id]);
}
