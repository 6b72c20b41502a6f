using System.Globalization;

namespace Flotta.EndToEnd.Faults;

/// <summary>
/// Workloads that change every few seconds, on one device. At the end: what was asked for is what runs, and nothing has piled up. Twelve seconds with four workloads;
/// FLOTTA_SOAK=1 makes it an hour (FLOTTA_SOAK_MINUTES) with twenty.
/// </summary>
public sealed class ChangingWorkloadsTests(ITestOutputHelper log)
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("FLOTTA_SOAK") is not null;
    private static readonly int Count = IsLong ? 20 : 4;
    private static readonly TimeSpan Duration = IsLong
        ? TimeSpan.FromMinutes(double.TryParse(Environment.GetEnvironmentVariable("FLOTTA_SOAK_MINUTES"), CultureInfo.InvariantCulture, out var minutes) ? minutes : 60)
        : TimeSpan.FromSeconds(12);

    [Fact]
    public async Task Nothing_piles_up_on_a_device_whose_workloads_change_again_and_again()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        var workloads = Enumerable.Range(0, Count).Select(number => new Wanted($"w{number:00}", FreePort.Next())).ToArray();
        foreach (var workload in workloads)
            await workload.ApplyAsync(site);
        await SettledAsync(site, device, workloads);
        // With the image of the pause process, which podman makes for its first pod.
        var images = await ImagesAsync(site);

        var random = new Random(Seed: 3);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var held = new List<Held>();
        var changes = 0;
        var nextLook = Duration / 6;
        while (clock.Elapsed < Duration)
        {
            var workload = workloads[random.Next(Count)];
            if (random.Next(4) == 0)
                await workload.ToggleAsync(site);
            else
                await workload.ChangeAsync(site, ++changes);
            if (clock.Elapsed > nextLook)
            {
                held.Add(Held.By(device.Program.Id));
                nextLook += Duration / 6;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(IsLong ? 4000 : 1500)));
        }

        await SettledAsync(site, device, workloads);
        held.Add(Held.By(device.Program.Id));
        log.WriteLine($"{changes} changes; held: {string.Join(" · ", held)}");
        (await ImagesAsync(site)).ShouldBe(images);
        if (IsLong)
        {
            // Half a minute after much was done it gives memory back: what the first third of the time needed is what it may need at the end.
            held[^1].MemoryMiB.ShouldBeLessThan((held[0].MemoryMiB * 1.15) + 4);
            held[^1].Files.ShouldBeLessThan(held[0].Files + 10);
            held[^1].Threads.ShouldBeLessThan(held[0].Threads + 6);
        }

        foreach (var workload in workloads.Where(workload => workload.Applied))
            await workload.ToggleAsync(site);
        await SettledAsync(site, device, workloads);
        (await site.Podman.RunAsync("ps", "--all", "--quiet")).Trim().ShouldBeEmpty();
        (await site.Podman.RunAsync("volume", "ls", "--quiet")).Trim().ShouldBeEmpty();
        (await RunningProgram.RunAsync("nft", ["list", "table", "inet", Site.FirewallTable(device.Id)])).Output.ShouldNotContain("dport");
    }

    private static async Task SettledAsync(Site site, Device device, Wanted[] workloads)
    {
        var expected = workloads.Where(workload => workload.Applied).ToArray();
        await Eventually.TrueAsync(
            async () =>
            {
                if (!(await site.PodsAsync()).Order(StringComparer.Ordinal).SequenceEqual(expected.Select(workload => workload.Name), StringComparer.Ordinal))
                    return false;
                foreach (var workload in expected)
                {
                    if (await site.EnvironmentAsync(workload.Name, "GREETING") != workload.Value)
                        return false;
                }

                return true;
            },
            TimeSpan.FromMinutes(3),
            () => device.Program.Said);
        var rules = (await RunningProgram.RunAsync("nft", ["list", "table", "inet", Site.FirewallTable(device.Id)])).Output;
        foreach (var workload in expected)
            rules.ShouldContain($"dport {workload.Port}");
    }

    private static Task<string> ImagesAsync(Site site) => site.Podman.RunAsync("images", "--all", "--quiet");

    /// <summary>What a process holds at a moment.</summary>
    private sealed record Held(double MemoryMiB, int Files, int Threads)
    {
        public static Held By(int process) => new(
            long.Parse(File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))[6..^2].Trim(), CultureInfo.InvariantCulture) / 1024.0,
            Directory.GetFileSystemEntries($"/proc/{process}/fd").Length,
            Directory.GetDirectories($"/proc/{process}/task").Length);

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{MemoryMiB:0.0} MiB {Files} files {Threads} threads");
    }

    private sealed class Wanted(string name, int port)
    {
        public string Name => name;

        public int Port => port;

        public string Value { get; private set; } = "0";

        public bool Applied { get; private set; }

        public Task ApplyAsync(Site site)
        {
            Applied = true;
            return site.Plane.ApplyAsync(Manifests.Web(name, port, Manifests.OnDevice("till-07"), environment: Value));
        }

        public Task ChangeAsync(Site site, int change)
        {
            Value = change.ToString(CultureInfo.InvariantCulture);
            return ApplyAsync(site);
        }

        public async Task ToggleAsync(Site site)
        {
            if (!Applied)
            {
                await ApplyAsync(site);
                return;
            }

            Applied = false;
            await site.Plane.KubectlAsync("delete", "edgeworkload", name, "--timeout=60s");
        }
    }
}
