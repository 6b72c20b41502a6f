using Flotta.Agent.Heartbeats;
using Flotta.Agent.Hooks;
using Flotta.Agent.OperatingSystem;
using Flotta.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Agent.OperatingSystem;

/// <summary>One device through an upgrade, with fakes of rpm-ostree and systemctl, real hooks, and a new loop for every boot.</summary>
public sealed class OperatingSystemLoopTests : IDisposable
{
    private static readonly string Old = new('1', 64);
    private static readonly string New = new('2', 64);
    private static readonly UpgradeWish Wish = new(New, true);
    private readonly FakeHost host = new();
    private readonly List<string> told = [];
    private readonly DutyFacts facts = new();
    private int halted;

    public OperatingSystemLoopTests()
    {
        host.Add("rpm-ostree");
        Runs(Old);
    }

    [Fact]
    public async Task An_upgrade_is_reported_through_every_stage_and_over_the_reboot()
    {
        await Hook("before-update");
        await Hook("before-reboot");
        await Hook("after-reboot");
        await Hook("after-update");
        var loop = Loop();
        var system = new RpmOstreeHost(host.Tools);
        await loop.TurnAsync(system, Wish, null, default);
        facts.Upgrade!.LastUpgradeStatus.ShouldBe("staging");
        Runs(Old, pending: New);
        await loop.TurnAsync(system, Wish, null, default);
        facts.Upgrade.LastUpgradeStatus.ShouldBe("staged");
        halted.ShouldBe(0);
        await loop.TurnAsync(system, Wish, null, default);
        facts.Upgrade.ShouldSatisfyAllConditions(status => status.LastUpgradeStatus.ShouldBe("rebooting"), status => status.CurrentCommitId.ShouldBe(Old));
        halted.ShouldBe(1);
        host.Calls[^1].ShouldBe("systemctl reboot");

        // The machine comes up with the new commit, and the agent anew with what is on disk.
        host.Boot("2");
        Runs(New);
        loop = Loop();
        await loop.TurnAsync(system, Wish, null, default);
        facts.Upgrade.ShouldSatisfyAllConditions(status => status.LastUpgradeStatus.ShouldBe("verifying"), status => status.CurrentCommitId.ShouldBe(New));
        (await File.ReadAllLinesAsync(host.In("hooks.log"))).ShouldBe([$"before-update {New}", $"before-reboot {New}", $"after-reboot {New}"]);

        // Only a heartbeat that the server took makes it good.
        using var stop = new CancellationTokenSource();
        var slice = new DeviceConfigurationMessage { Configuration = new DeviceConfiguration { Os = new OsConfiguration { CommitId = New, AutomaticallyUpgrade = true } } };
        var running = loop.RunAsync(slice, stop.Token);
        await Eventually.True(() =>
        {
            facts.OnReached();
            return Task.FromResult(facts.Upgrade!.LastUpgradeStatus == "succeeded");
        });
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running);
        facts.Upgrade!.LastUpgradeTime.ShouldNotBeNull();
        told.ShouldBe(["UpgradeStarted", "UpgradeStaged", "UpgradeRebooting", "UpgradeVerifying", "UpgradeSucceeded"]);
        (await File.ReadAllLinesAsync(host.In("hooks.log")))[^1].ShouldBe($"after-update {New}");
    }

    [Fact]
    public async Task A_hook_that_fails_before_the_update_holds_it_and_says_why()
    {
        await Hook("before-update", "echo not on a saturday >&2; exit 3");
        var pause = await Loop().TurnAsync(new RpmOstreeHost(host.Tools), Wish, null, default);
        pause.ShouldBeGreaterThan(TimeSpan.FromSeconds(10));
        host.Calls.ShouldNotContain(call => call.Contains("deploy", StringComparison.Ordinal));
        UpgradeRecord.Load(host.In("data/os.json")).Stage.ShouldBe(Stage.Idle);
        told.ShouldBe(["UpgradeHeld"]);
    }

    [Fact]
    public async Task What_cannot_be_staged_is_tried_again_and_told_once()
    {
        var loop = Loop();
        host.Fails("rpm-ostree", null);
        await loop.TurnAsync(new FailingHost(), Wish, null, default);
        await loop.TurnAsync(new FailingHost(), Wish, null, default);
        told.ShouldBe(["UpgradeStarted", "UpgradeHeld"]);
        UpgradeRecord.Load(host.In("data/os.json")).Stage.ShouldBe(Stage.Staging);
    }

    [Fact]
    public void Nothing_runs_for_a_device_that_is_asked_for_nothing()
    {
        OperatingSystemLoop.Slice(new DeviceConfigurationMessage { Configuration = new DeviceConfiguration() }, host.In("data/os.json")).ShouldBeNull();
        (UpgradeRecord.None with { Stage = Stage.Verifying }).Save(host.In("data/os.json"));
        OperatingSystemLoop.Slice(new DeviceConfigurationMessage { Configuration = new DeviceConfiguration() }, host.In("data/os.json")).ShouldNotBeNull();
    }

    public void Dispose() => host.Dispose();

    private void Runs(string booted, string? pending = null) => host.Says(
        "rpm-ostree", $$"""{"deployments":[{{(pending is null ? "" : $$"""{"staged":true,"checksum":"{{pending}}"},""")}}{"booted":true,"checksum":"{{booted}}","origin":"edge:os"}]}""");

    private OperatingSystemLoop Loop() => new(
        new UpgradeSurroundings
        {
            RecordFile = host.In("data/os.json"),
            Tools = host.Tools,
            Facts = facts,
            Tell = (reason, _, _) => told.Add(reason),
            HaltWorkloads = _ =>
            {
                // The reboot is on disk before the first workload is stopped.
                UpgradeRecord.Load(host.In("data/os.json")).Stage.ShouldBe(Stage.Rebooting);
                halted++;
                return Task.CompletedTask;
            },
            ResumeWorkloads = () => { },
            Hook = new HookScripts(host.In("hooks"), [], NullLogger<HookScripts>.Instance).RunAsync,
        },
        NullLogger<OperatingSystemLoop>.Instance,
        TimeProvider.System);

    private async Task Hook(string name, string? body = null)
    {
        var folder = Directory.CreateDirectory(host.In($"hooks/{name}.d")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "10-test"), "#!/bin/sh\n" + (body ?? $"echo \"$FLOTTA_HOOK $FLOTTA_COMMIT\" >> '{host.In("hooks.log")}'") + "\n");
        File.SetUnixFileMode(Path.Combine(folder, "10-test"), (UnixFileMode)0b111_101_101);
    }

    private sealed class FailingHost : IHostSystem
    {
        public Task<HostState> LookAsync(CancellationToken cancellationToken) => Task.FromResult(new HostState(Old, null));

        public Task StageAsync(string commit, string? url, CancellationToken cancellationToken) => throw new HostException("the disk is full");

        public Task TakeBackAsync(string commit, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
