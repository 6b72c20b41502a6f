namespace Flotta.EndToEnd.Faults;

/// <summary>The data folder on a file system of one megabyte that is filled to the brim.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task A_full_disk_stops_no_workload_and_what_could_not_be_stored_is_taken_when_there_is_room()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var data = Directory.CreateTempSubdirectory("flotta-full-").FullName;
        (await RunningProgram.RunAsync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", data])).ExitCode.ShouldBe(0);
        try
        {
            var port = FreePort.Next();
            await using var device = site.DeviceIn("till-07", data);
            await device.IsAsync("Connected", "True");
            await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07"), environment: "before"));
            await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
            await device.WorkloadIsAsync("hello", "Running");

            Fill(Path.Combine(data, "filler"));
            await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07"), environment: "after"));
            await Eventually.TrueAsync(() => Task.FromResult(device.Program.Said.Contains("it cannot be stored", StringComparison.Ordinal)), TimeSpan.FromSeconds(60), () => device.Program.Said);
            (await site.EnvironmentAsync("hello", "GREETING")).ShouldBe("before");
            await device.KillAsync();
            device.StartAgain();
            await Web.AnswersAsync(port, TimeSpan.FromSeconds(10));

            File.Delete(Path.Combine(data, "filler"));
            await Eventually.EqualsAsync("after", () => site.EnvironmentAsync("hello", "GREETING"), TimeSpan.FromSeconds(90));
            await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
        }
        finally
        {
            await RunningProgram.RunAsync("umount", ["-l", data]);
            Directory.Delete(data);
        }
    }

    /// <summary>As a person starts it: which podman it is to use is found out and written down at start.</summary>
    [Fact]
    public async Task A_device_with_a_full_disk_starts_all_the_same_and_is_let_in_once_there_is_room()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var data = Directory.CreateTempSubdirectory("flotta-full-").FullName;
        (await RunningProgram.RunAsync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", data])).ExitCode.ShouldBe(0);
        try
        {
            var filler = Path.Combine(data, "filler");
            Fill(filler);
            await using var agent = RunningProgram.Start(Programs.Agent, [
                "--server", site.Plane.EdgeServer, "--ca-root", site.Plane.Bootstrap("ca"), "--cert-file", site.Plane.Bootstrap("cert"), "--key-file", site.Plane.Bootstrap("key"),
                "--data-dir", data, "--client-id", "till-08"]);
            var problem = await agent.LineAsync(line => line.Contains("not enrolled yet", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
            problem.ShouldContain("No space left on device");
            agent.Said.ShouldNotContain("   at ");
            File.Delete(filler);
            await agent.LineAsync(line => line.Contains("certificate received", StringComparison.Ordinal), TimeSpan.FromSeconds(60));

            Fill(filler);
            agent.Kill();
            await agent.EndAsync(TimeSpan.FromSeconds(10));
            await using var again = RunningProgram.Start(Programs.Agent, ["--server", site.Plane.EdgeServer, "--ca-root", site.Plane.Bootstrap("ca"), "--data-dir", data, "--client-id", "till-08"]);
            await again.LineAsync(line => line.Contains("reached", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
            await Eventually.EqualsAsync("True", () => site.Plane.FieldAsync("edgedevice", "till-08", ".status.conditions[?(@.type==\"Connected\")].status"), TimeSpan.FromSeconds(30));
            again.Said.ShouldNotContain("   at ");
        }
        finally
        {
            await RunningProgram.RunAsync("umount", ["-l", data]);
            Directory.Delete(data);
        }
    }

    private static void Fill(string path)
    {
        var piece = new byte[4096];
        try
        {
            // Unbuffered: what does not fit must not be tried again when the file is closed.
            using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            while (true)
                file.Write(piece);
        }
        catch (IOException)
        {
            // Full.
        }
    }
}
