using System.Globalization;
using System.Text.Json.Nodes;

namespace Flotta.EndToEnd;

/// <summary>
/// kill -9 of any part at any moment loses nothing that was acknowledged, and never restarts a container. In each round something happens on the device that people have to hear of,
/// once: also when the server was killed while it was told.
/// </summary>
public sealed class KilledTests(ITestOutputHelper log)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly int Rounds = Environment.GetEnvironmentVariable("FLOTTA_SOAK") is null ? 8 : 200;

    [Fact]
    public async Task Killed_parts_come_back_with_the_same_identities_objects_and_containers()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var port = FreePort.Next();
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07")));
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
        await device.WorkloadIsAsync("hello", "Running");
        var container = await site.ContainersAsync();
        var foreign = await ForeignAsync(site);
        var uid = await site.Plane.FieldAsync("edgedevice", "till-07", ".metadata.uid");
        var serial = await site.Plane.FieldAsync("edgedevice", "till-07", ".status.certificate.serial");
        serial.ShouldNotBeEmpty();

        var random = new Random(Seed: 7);
        var told = 0;
        var again = 0;
        for (var round = 0; round < Rounds; round++)
        {
            (await ToldAsync(site)).ShouldBe(told, $"told once more after round {round - 1}");
            var happening = "absent-" + round.ToString(CultureInfo.InvariantCulture);
            await site.Plane.ApplyAsync(Manifests.Failing(happening, Manifests.OnDevice("till-07")));
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 1500)));
            switch (round % 4)
            {
                case 0:
                    await site.Plane.KillAsync();
                    await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 500)));
                    await site.Plane.StartAgainAsync();
                    break;
                case 1:
                    await device.KillAsync();
                    await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 500)));
                    device.StartAgain();
                    break;
                case 2:
                    await site.Podman.KillServiceAsync();
                    await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 500)));
                    await site.Podman.StartServiceAsync();
                    break;
                default:
                    await site.Plane.KillAsync();
                    await device.KillAsync();
                    device.StartAgain();
                    await site.Plane.StartAgainAsync();
                    break;
            }

            // What kubectl was told is written is there after the next kill.
            await site.Plane.KubectlAsync("annotate", "--overwrite", "edgedevice", "till-07", "round=" + round.ToString(CultureInfo.InvariantCulture));
            var before = told;
            await Eventually.TrueAsync(async () => (told = await ToldAsync(site)) > before, Deadline, () => $"round {round}: nobody heard of {happening}\n{device.Program.Said}");
            await device.WorkloadIsAsync(happening, "Deploying");
            await site.Plane.KubectlAsync("delete", "edgeworkload", happening, "--timeout=20s");
            await Eventually.TrueAsync(async () => await site.Plane.FieldAsync("edgedevice", "till-07", ".status.workloads[*].name") == "hello", Deadline, () => $"round {round}: {happening} is still there\n{device.Program.Said}");
            await Eventually.TrueAsync(() => Task.FromResult(!File.Exists(Path.Combine(device.Folder, "events.json"))), Deadline, () => $"round {round}: something is not told yet\n{device.Program.Said}");
            told = await ToldAsync(site);
            // An agent that was killed, or whose podman was, finds out anew and says so; of a server that was killed it knows nothing.
            if (round % 4 == 0)
                told.ShouldBe(before + 1, $"round {round}: {happening} was told more than once");
            else
                again += told - before - 1;
        }

        (await site.Plane.FieldAsync("edgedevice", "till-07", ".metadata.annotations.round")).ShouldBe((Rounds - 1).ToString(CultureInfo.InvariantCulture));
        (await site.Plane.FieldAsync("edgedevice", "till-07", ".metadata.uid")).ShouldBe(uid);
        (await site.Plane.FieldAsync("edgedevice", "till-07", ".status.certificate.serial")).ShouldBe(serial);
        (await site.ContainersAsync()).ShouldBe(container, "no container was restarted or replaced");
        (await ForeignAsync(site)).ShouldBe(foreign, "what is not ours was touched");
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(5));

        // And the pair still works.
        await site.Plane.KubectlAsync("delete", "edgeworkload", "hello", "--timeout=20s");
        await Eventually.TrueAsync(async () => (await site.PodsAsync()) is ["foreign"], TimeSpan.FromSeconds(60), () => device.Program.Said);
        (await ForeignAsync(site)).ShouldBe(foreign);
        log.WriteLine($"{Rounds} rounds, {Rounds} things happened on the device, {again} of them were found out again after a restart");
    }

    /// <summary>How often the server was told of a workload whose image is not there.</summary>
    private static async Task<int> ToldAsync(Site site) =>
        JsonNode.Parse(await site.Plane.KubectlAsync("get", "events", "--field-selector", "reason=ImagePullFailed", "-o", "json"))!["items"]!.AsArray()
            .Sum(one => (int?)one!["count"] ?? 1);

    // A pod and a volume that somebody else made, and when they started: made at the first call.
    private static async Task<string> ForeignAsync(Site site)
    {
        if (!(await site.PodsAsync()).Contains("foreign", StringComparer.Ordinal))
        {
            await site.Podman.RunAsync("volume", "create", "foreign");
            await site.Podman.RunAsync("pod", "create", "--name", "foreign");
            await site.Podman.RunAsync("run", "--detach", "--pod", "foreign", "--volume", "foreign:/data", PodmanHost.Image, "/bin/sleep", "100000");
        }

        return await site.Podman.RunAsync("ps", "--no-trunc", "--filter", "pod=foreign", "--format", "{{.ID}} {{.StartedAt}}") + await site.Podman.RunAsync("volume", "ls", "--quiet", "--filter", "name=foreign");
    }

    [Fact]
    public async Task An_agent_restarted_with_the_control_plane_down_keeps_its_workloads_running()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var port = FreePort.Next();
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07")));
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
        var container = await site.ContainersAsync();

        await site.Plane.KillAsync();
        await device.KillAsync();
        device.StartAgain();
        await Task.Delay(TimeSpan.FromSeconds(3));
        device.Program.HasEnded.ShouldBeFalse(device.Program.Said);
        (await site.ContainersAsync()).ShouldBe(container);

        // A container that somebody stopped comes back from the stored desired state alone, as after a reboot without network.
        await site.Podman.RunAsync("pod", "stop", "--time", "1", "hello");
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
        await site.Plane.StartAgainAsync();
        await device.WorkloadIsAsync("hello", "Running");
    }

    [Fact]
    public async Task Both_programs_stop_cleanly_when_asked()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        device.Program.Interrupt();
        await device.Program.EndAsync(TimeSpan.FromSeconds(10));
        device.Program.ExitCode.ShouldBe(0, device.Program.Said);
        site.Plane.Program.Terminate();
        await site.Plane.Program.EndAsync(TimeSpan.FromSeconds(10));
        site.Plane.Program.ExitCode.ShouldBe(0, site.Plane.Program.Said);
    }
}
