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
}
