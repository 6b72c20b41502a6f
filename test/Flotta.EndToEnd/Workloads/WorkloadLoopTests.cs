using System.Diagnostics;
using Flotta.Agent.Workloads;

namespace Flotta.EndToEnd.Workloads;

public sealed class WorkloadLoopTests(ITestOutputHelper log)
{
    private static readonly TimeSpan Patience = LoopOnPodman.Patience;

    [Fact]
    public async Task A_workload_becomes_a_container_that_answers_is_updated_and_goes()
    {
        await using var device = await LoopOnPodman.StartAsync();
        var port = FreePort.Next();
        var clock = Stopwatch.StartNew();
        device.Apply(Sample.Web("hello", port));
        await Web.AnswersAsync(port, Patience);
        log.WriteLine($"apply to answer: {clock.ElapsedMilliseconds} ms");
        await device.PhaseAsync("hello", "Running");
        log.WriteLine($"apply to reported: {clock.ElapsedMilliseconds} ms");
        var before = await device.ContainersAsync();
        var hash = await device.HashAsync("hello-web");

        device.Apply(Sample.Web("hello", port));
        device.Apply(Sample.Web("hello", port) with { Namespace = "elsewhere" });
        (await device.ContainersAsync()).ShouldBe(before);

        clock.Restart();
        device.Apply(Sample.Web("hello", port, greeting: "changed"));
        await device.ReplacedAsync("hello-web", hash);
        await Web.AnswersAsync(port, Patience);
        (await device.Podman.RunAsync("inspect", "-f", "{{.Config.Env}}", "hello-web")).ShouldContain("GREETING=changed");
        log.WriteLine($"change to answer: {clock.ElapsedMilliseconds} ms");

        clock.Restart();
        device.Apply();
        await Eventually.TrueAsync(async () => (await device.PodsAsync()).Length == 0, TimeSpan.FromSeconds(5));
        log.WriteLine($"delete to gone: {clock.ElapsedMilliseconds} ms");
        device.Loop.States.ShouldBeEmpty();
        await Eventually.TrueAsync(() => Task.FromResult(!Directory.Exists(Path.Combine(device.Data, "workloads", "hello"))), Patience);
        device.Loop.TakeEvents().ShouldBeEmpty();
    }
}
