namespace Flotta.EndToEnd.Faults;

/// <summary>The data folder on a file system of one megabyte that is filled to the brim.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task A_full_disk_stops_no_workload_and_what_could_not_be_stored_is_taken_when_there_is_room()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        await using var disk = await SmallDisk.OfAsync("1m");
        var port = FreePort.Next();
        await using var device = site.DeviceIn("till-07", disk.Folder);
        await device.IsAsync("Connected", "True");
        await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07"), environment: "before"));
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
        await device.WorkloadIsAsync("hello", "Running");

        SmallDisk.Fill(Path.Combine(disk.Folder, "filler"));
        await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07"), environment: "after"));
        await Eventually.TrueAsync(() => Task.FromResult(device.Program.Said.Contains("it cannot be stored", StringComparison.Ordinal)), TimeSpan.FromSeconds(60), () => device.Program.Said);
        (await site.EnvironmentAsync("hello", "GREETING")).ShouldBe("before");
        await device.KillAsync();
        device.StartAgain();
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(10));

        File.Delete(Path.Combine(disk.Folder, "filler"));
        await Eventually.EqualsAsync("after", () => site.EnvironmentAsync("hello", "GREETING"), TimeSpan.FromSeconds(90));
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
    }

    /// <summary>As a person starts it: which podman it is to use is found out and written down at start.</summary>
    [Fact]
    public async Task A_device_with_a_full_disk_starts_all_the_same_and_is_let_in_once_there_is_room()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        await using var disk = await SmallDisk.OfAsync("1m");
        var filler = Path.Combine(disk.Folder, "filler");
        SmallDisk.Fill(filler);
        string[] of = ["--server", site.Plane.EdgeServer, "--ca-root", site.Plane.Bootstrap("ca"), "--data-dir", disk.Folder, "--client-id", "till-08"];
        await using var agent = RunningProgram.Start(Programs.Agent, [.. of, "--cert-file", site.Plane.Bootstrap("cert"), "--key-file", site.Plane.Bootstrap("key")]);
        var problem = await agent.LineAsync(line => line.Contains("not enrolled yet", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
        problem.ShouldContain("No space left on device");
        agent.Said.ShouldNotContain("   at ");
        File.Delete(filler);
        await agent.LineAsync(line => line.Contains("certificate received", StringComparison.Ordinal), TimeSpan.FromSeconds(60));

        SmallDisk.Fill(filler);
        agent.Kill();
        await agent.EndAsync(TimeSpan.FromSeconds(10));
        await using var again = RunningProgram.Start(Programs.Agent, of);
        await again.LineAsync(line => line.Contains("reached", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
        await Eventually.EqualsAsync("True", () => site.Plane.FieldAsync("edgedevice", "till-08", ".status.conditions[?(@.type==\"Connected\")].status"), TimeSpan.FromSeconds(30));
        again.Said.ShouldNotContain("   at ");
    }
}
