using System.Globalization;

namespace Flotta.EndToEnd.Faults;

/// <summary>What the network does to a device: the workload runs on, what changed meanwhile arrives, nothing is restarted twice.</summary>
public sealed class NetworkFaultTests(ITestOutputHelper log)
{
    private static readonly int Rounds = Environment.GetEnvironmentVariable("FLOTTA_SOAK") is null ? 1 : 50;

    // A half-open connection is noticed by a request's deadline (30 s), then pauses of up to half a minute.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    [Fact]
    public async Task A_device_behind_a_bad_network_runs_on_and_catches_up()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        await using var network = new FaultyNetwork(site.Plane.EdgeServer);
        var port = FreePort.Next();
        await using var device = site.Device("till-07", network.Address);
        await device.IsAsync("Connected", "True");
        await ApplyAsync(site, port, "0");
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
        for (var round = 1; round <= Rounds; round++)
        {
            foreach (var fault in new[] { Fault.Cut, Fault.Flapping, Fault.HalfOpen, Fault.Slow })
            {
                var value = string.Create(CultureInfo.InvariantCulture, $"{fault}-{round}");
                network.Fault = fault;
                await ApplyAsync(site, port, value);
                await Task.Delay(TimeSpan.FromSeconds(2));
                await Web.AnswersAsync(port, TimeSpan.FromSeconds(20));
                // Slow is no reason to wait for better times.
                if (fault != Fault.Slow)
                    network.Fault = Fault.None;
                var clock = System.Diagnostics.Stopwatch.StartNew();
                await Eventually.EqualsAsync(value, () => site.EnvironmentAsync("hello", "GREETING"), Patience);
                log.WriteLine($"{value}: caught up after {clock.ElapsedMilliseconds} ms");
                network.Fault = Fault.None;
                (await site.PodsAsync()).ShouldBe(["hello"]);
            }
        }

        await device.WorkloadIsAsync("hello", "Running", Patience);
        await device.IsAsync("UpToDate", "True", Patience);
    }

    private static Task ApplyAsync(Site site, int port, string value) =>
        site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07"), environment: value));
}
