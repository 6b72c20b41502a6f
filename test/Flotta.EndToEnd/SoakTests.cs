using System.Globalization;
using System.Text.Json.Nodes;

namespace Flotta.EndToEnd;

/// <summary>
/// A fleet whose workloads fail and recover, on a control plane that is killed again and again. At the end: no event lost, no status wrong, no memory leaked.
/// Half a minute with a few devices; FLOTTA_SOAK=1 makes it thirty minutes with a thousand.
/// </summary>
public sealed class SoakTests(ITestOutputHelper log) : IDisposable
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("FLOTTA_SOAK") is not null;
    private static readonly int Devices = IsLong ? 1000 : 30;
    private static readonly TimeSpan Duration = IsLong ? TimeSpan.FromMinutes(30) : TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Between = IsLong ? TimeSpan.FromSeconds(90) : TimeSpan.FromSeconds(5);

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task A_control_plane_that_is_killed_again_and_again_loses_no_event_and_shows_no_wrong_status()
    {
        await using var plane = await EmbeddedControlPlane.StartAsync(_folder.Sub("control-plane"), "--auto-approve");
        await using var fleet = SimulatedFleet.Start(
            plane, _folder.Path, "steady", "--devices", $"{Devices}", "--ramp", IsLong ? "30s" : "1s", "--period", IsLong ? "20s" : "2s", "--trouble-every", IsLong ? "10m" : "20s",
            "--for", Seconds(Duration), "--calm", IsLong ? "60s" : "12s", "--state", _folder.Sub("identities"));
        await fleet.IsServedAsync(TimeSpan.FromMinutes(5));
        foreach (var workload in new[] { "one", "two" })
            await plane.ApplyAsync(Manifest(workload));

        var random = new Random(Seed: 11);
        var memory = new List<double>();
        var end = TimeProvider.System.GetUtcNow() + Duration;
        while (TimeProvider.System.GetUtcNow() + Between < end)
        {
            await Task.Delay(Between * (0.5 + random.NextDouble()));
            memory.Add(plane.Program.MemoryMiB);
            // kill -9 as often as an orderly stop.
            if (random.Next(2) == 0)
                await plane.KillAsync();
            else
                await plane.StopAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1000)));
            await plane.StartAgainAsync();
        }

        var report = await fleet.EndsAsync(Duration + TimeSpan.FromMinutes(3));
        log.WriteLine($"{memory.Count} restarts, memory before each {string.Join(" ", memory.Select(one => one.ToString("0", CultureInfo.InvariantCulture)))} MiB");
        log.WriteLine(report.ToJsonString());
        await IsRightAsync(plane);
        await NoEventIsLostAsync(plane, (int)report["events"]!);
        if (IsLong)
        {
            var half = memory.Count / 2;
            memory.Skip(half).Average().ShouldBeLessThan((memory.Take(half).Average() * 1.2) + 20, "memory grows from restart to restart");
        }
    }

    public void Dispose() => _folder.Dispose();

    private static async Task IsRightAsync(EmbeddedControlPlane plane)
    {
        var devices = JsonNode.Parse(await plane.KubectlAsync("get", "edgedevices", "-o", "json"))!["items"]!.AsArray();
        devices.Count.ShouldBe(Devices);
        foreach (var device in devices)
        {
            var name = (string)device!["metadata"]!["name"]!;
            var status = device["status"]!;
            status["workloads"]!.AsArray().Select(one => $"{one!["name"]} {one["phase"]}").ShouldBe(["one Running", "two Running"], ignoreOrder: true, name);
            foreach (var type in new[] { "UpToDate", "WorkloadsReady", "Connected" })
                ((string)status["conditions"]!.AsArray().Single(one => (string)one!["type"]! == type)!["status"]!).ShouldBe("True", $"{type} of {name}");
        }
    }

    // Each says when it happened, so each is an Event of its own; what a device said twice because the answer got lost counts twice in one of them.
    private static async Task NoEventIsLostAsync(EmbeddedControlPlane plane, int taken)
    {
        var events = JsonNode.Parse(await plane.KubectlAsync("get", "events", "--field-selector", "reason=SimulatedTrouble", "-o", "json"))!["items"]!.AsArray();
        taken.ShouldBeGreaterThan(0);
        // More is right: stored, and the answer lost with the link at the end of the run.
        events.Count.ShouldBeInRange(taken, taken + Devices);
    }

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds}s");

    private static string Manifest(string name) =>
        $$"""
        apiVersion: management.project-flotta.io/v1alpha1
        kind: EdgeWorkload
        metadata:
          name: {{name}}
        spec:
          type: pod
          deviceSelector:
            matchLabels:
              device.system-manufacturer: flotta-fleet
          pod:
            spec:
              containers:
              - name: app
                image: localhost/simulated:1
        """;
}
