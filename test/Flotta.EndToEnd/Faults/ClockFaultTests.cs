namespace Flotta.EndToEnd.Faults;

/// <summary>A device whose clock goes wrong by ten years, alone.</summary>
public sealed class ClockFaultTests
{
    private static readonly int Rounds = Environment.GetEnvironmentVariable("FLOTTA_SOAK") is null ? 1 : 20;

    [Fact]
    public async Task A_clock_that_jumps_ten_years_and_back_costs_no_workload_and_no_identity()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        using var folder = new TemporaryFolder();
        var clock = new ShiftedClock(Path.Combine(folder.Path, "clock"));
        var port = FreePort.Next();
        await using var device = Device.Start(site.Plane, "till-07", folder.Sub("device"), site.Podman.Socket, clock.Environment);
        await device.IsAsync("Connected", "True");
        await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07")));
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
        await device.WorkloadIsAsync("hello", "Running");
        var containers = await site.ContainersAsync();
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var years in new[] { 10, -10 })
            {
                clock.Set(TimeSpan.FromDays(365.25 * years));
                // Under its feet, and at its start.
                await Task.Delay(TimeSpan.FromSeconds(2));
                device.Program.HasEnded.ShouldBeFalse(device.Program.Said);
                await device.KillAsync();
                device.StartAgain();
                await device.Program.LineAsync(line => line.Contains("cannot be reached", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
                device.Program.Said.ShouldContain("by this device's clock");
                (await site.ContainersAsync()).ShouldBe(containers, $"{years} years");
                await Web.AnswersAsync(port, TimeSpan.FromSeconds(5));
            }

            clock.Set(TimeSpan.Zero);
            await device.Program.LineAsync(line => line.Contains("reached", StringComparison.Ordinal) && !line.Contains("cannot", StringComparison.Ordinal), TimeSpan.FromSeconds(90));
            await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07"), environment: $"after-{round}"));
            await Eventually.EqualsAsync($"after-{round}", () => site.EnvironmentAsync("hello", "GREETING"), TimeSpan.FromSeconds(60));
            (await site.Plane.KubectlAsync("get", "edsr", "-o", "name")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(1, "nobody enrolled again");
            await device.WorkloadIsAsync("hello", "Running");
            containers = await site.ContainersAsync();
        }
    }
}
