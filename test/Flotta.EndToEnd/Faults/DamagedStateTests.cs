namespace Flotta.EndToEnd.Faults;

/// <summary>Files of the agent that were cut short or had bits turned while it was not running: no workload is touched, and the device comes back as itself.</summary>
public sealed class DamagedStateTests(ITestOutputHelper log)
{
    private static readonly int Rounds = Environment.GetEnvironmentVariable("FLOTTA_SOAK") is null ? 1 : 40;

    [Fact]
    public async Task Damaged_files_cost_no_workload_and_no_change()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var port = FreePort.Next();
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07"), environment: "first"));
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
        await device.WorkloadIsAsync("hello", "Running");
        var random = new Random(Seed: 5);
        var last = "first";
        for (var round = 0; round < Rounds; round++)
        {
            var files = Directory.EnumerateFiles(device.Folder, "*", SearchOption.AllDirectories).Where(IsState).Order(StringComparer.Ordinal).ToList();
            files.ShouldContain(file => file.EndsWith("desired.json", StringComparison.Ordinal));
            // All at once, then each for itself.
            foreach (var damaged in files.Select(file => new List<string> { file }).Prepend(files).Take(Rounds == 1 ? 3 : int.MaxValue))
            {
                var containers = await site.ContainersAsync();
                await device.KillAsync();
                foreach (var file in damaged.Where(File.Exists))
                    Damage(file, random);
                log.WriteLine(string.Join(" ", damaged.Select(file => Path.GetRelativePath(device.Folder, file))));
                device.StartAgain();
                await device.Program.LineAsync(line => line.Contains("reached", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
                (await site.ContainersAsync()).ShouldBe(containers);

                var next = $"value-{random.Next()}";
                await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07"), environment: next));
                await Eventually.TrueAsync(async () => await site.EnvironmentAsync("hello", "GREETING") == next, TimeSpan.FromSeconds(60), () => $"{last} is still there; {device.Program.Said}");
                (await site.PodsAsync()).ShouldBe(["hello"]);
                last = next;
                await device.WorkloadIsAsync("hello", "Running");
            }
        }

        await Web.AnswersAsync(port, TimeSpan.FromSeconds(10));
    }

    /// <summary>What the device still has is the configuration before the last: to go back to it by itself would be a change that nobody asked for.</summary>
    [Fact]
    public async Task Without_its_last_configuration_a_device_alone_looks_after_what_runs_and_changes_nothing()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var port = FreePort.Next();
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        foreach (var greeting in (string[])["first", "second"])
        {
            await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07"), environment: greeting));
            await Eventually.TrueAsync(async () => await site.EnvironmentAsync("hello", "GREETING") == greeting, TimeSpan.FromSeconds(60), () => device.Program.Said);
            await device.WorkloadIsAsync("hello", "Running");
        }

        await device.KillAsync();
        await site.Plane.StopAsync();
        File.WriteAllText(Path.Combine(device.Folder, "desired.json"), "{");
        var container = (await site.ContainersAsync()).Split(' ')[0];
        await site.Podman.RunAsync("kill", container);
        device.StartAgain();
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30)); // it was started again
        device.Program.Said.ShouldContain("the one before the last");
        device.Program.Said.ShouldNotContain("rehearse");
        (await site.ContainersAsync()).Split(' ')[0].ShouldBe(container);
        (await site.EnvironmentAsync("hello", "GREETING")).ShouldBe("second");

        await site.Plane.StartAgainAsync();
        await device.Program.LineAsync(line => line.Contains("1 workloads", StringComparison.Ordinal) && line.Contains("applied", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        await device.WorkloadIsAsync("hello", "Running");
        (await site.ContainersAsync()).Split(' ')[0].ShouldBe(container);
    }

    // Who the device is cannot be made up again: what becomes of a damaged identity is in the tests of the identity. Locks and volumes are no state.
    private static bool IsState(string file) => Path.GetFileName(file) is not ("lock" or "client-id" or "identity.pem" or "identity.previous.pem" or "next-key.pem") && new FileInfo(file).Length > 0;

    private static void Damage(string file, Random random)
    {
        var bytes = File.ReadAllBytes(file);
        switch (random.Next(3))
        {
            case 0:
                bytes = bytes[..random.Next(bytes.Length)];
                break;
            case 1:
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                break;
            default:
                Array.Clear(bytes, 0, bytes.Length);
                break;
        }

        File.WriteAllBytes(file, bytes);
    }
}
