using Flotta.Agent.Heartbeats;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.OperatingSystem;

/// <summary>What the upgrade needs of the rest of the machine.</summary>
internal sealed record UpgradeSurroundings
{
    public required string RecordFile { get; init; }

    public required HostTools Tools { get; init; }

    public required DutyFacts Facts { get; init; }

    public required Action<string, string, bool> Tell { get; init; }

    /// <summary>Stops the workloads gracefully, and starts none, until resumed.</summary>
    public required Func<CancellationToken, Task> HaltWorkloads { get; init; }

    public required Action ResumeWorkloads { get; init; }

    /// <summary>Runs a hook's scripts; why not, if not.</summary>
    public required Func<string, IReadOnlyDictionary<string, string>, CancellationToken, Task<string?>> Hook { get; init; }
}

/// <summary>Makes the machine run the commit that its configuration asks for, and takes one back that does not prove itself. Each turn: look, decide, write down, do.</summary>
internal sealed partial class OperatingSystemLoop(UpgradeSurroundings around, ILogger<OperatingSystemLoop> logger, TimeProvider time)
{
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Watchful = TimeSpan.FromSeconds(20);

    /// <summary>For the machine to go down once it was asked to.</summary>
    private static readonly TimeSpan GoingDown = TimeSpan.FromMinutes(5);

    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(30), TimeSpan.FromHours(1));
    private readonly Signal _wake = new();
    private string? _told;
    private volatile bool _reached;

    /// <summary>The part of the configuration that concerns the operating system; null when there is none, and nothing to bring to its end.</summary>
    public static DeviceConfigurationMessage? Slice(DeviceConfigurationMessage configuration, string recordFile) =>
        configuration.Configuration?.Os is { } os
            ? new DeviceConfigurationMessage { Configuration = new DeviceConfiguration { Os = os } }
            : UpgradeRecord.Load(recordFile).Stage != Stage.Idle ? new DeviceConfigurationMessage { Configuration = new DeviceConfiguration() } : null;

    public async Task RunAsync(DeviceConfigurationMessage slice, CancellationToken cancellationToken)
    {
        var os = slice.Configuration?.Os;
        var wish = new UpgradeWish(os?.CommitId, os?.AutomaticallyUpgrade == true);
        void OnReached()
        {
            if (_reached)
                return;
            _reached = true;
            _wake.Set();
        }

        around.Facts.Reached += OnReached;
        try
        {
            if (await around.Tools.FindAsync(cancellationToken) is not { } host)
            {
                around.Facts.Upgrade = new UpgradeStatus { CurrentCommitId = "unknown" };
                if (!string.IsNullOrEmpty(wish.Commit))
                    Held("this machine's operating system is not one that is replaced whole: neither bootc nor rpm-ostree nor ostree runs it");
                return;
            }

            while (true)
            {
                var pause = await TurnAsync(host, wish, os?.HostedObjectsUrl, cancellationToken);
                await _wake.WaitAsync(pause, time, cancellationToken);
            }
        }
        finally
        {
            around.Facts.Reached -= OnReached;
        }
    }

    internal async Task<TimeSpan> TurnAsync(IHostSystem host, UpgradeWish wish, string? url, CancellationToken cancellationToken)
    {
        var record = UpgradeRecord.Load(around.RecordFile);
        try
        {
            var state = await host.LookAsync(cancellationToken);
            var seen = new UpgradeSeen(state.Booted, state.Pending, around.Tools.BootId, around.Tools.Uptime, _reached, time.GetUtcNow());
            var turn = Upgrade.Next(record, wish, seen);
            if (await HookAsync(record, turn, cancellationToken) is { } held)
            {
                Held(held);
                Report(record, state);
                return _backOff.Next();
            }

            Write(record, turn);
            Report(turn.Record, state);
            if (turn.Event is { } happened)
                around.Tell(happened.Reason, happened.Message, happened.Bad);
            await DoAsync(host, turn, url, cancellationToken);
            // Also where the machine did not go down after all.
            if (turn.Record.Stage == Stage.Idle)
                around.ResumeWorkloads();
            _told = null;
            _backOff.Reset();
            return Pause(record, turn);
        }
        catch (Exception exception) when (exception is HostException or IOException or UnauthorizedAccessException or FormatException)
        {
            Held(exception.Message);
            return _backOff.Next();
        }
    }

    private static TimeSpan Pause(UpgradeRecord before, UpgradeTurn turn) => turn switch
    {
        { Deed: Deed.Reboot or Deed.TakeBack } => GoingDown,
        _ when turn.Record.Stage != before.Stage || turn.Deed == Deed.Stage => TimeSpan.FromMilliseconds(100),
        _ => turn.Record.Stage == Stage.Idle ? Rest : Watchful,
    };

    /// <summary>Before: why it must wait. After: said, and that is all.</summary>
    private async Task<string?> HookAsync(UpgradeRecord before, UpgradeTurn turn, CancellationToken cancellationToken)
    {
        var (from, to) = (before.Stage, turn.Record.Stage);
        if (from == Stage.Idle && to == Stage.Staging)
            return await around.Hook("before-update", Environment("before-update", turn.Record), cancellationToken);
        if (turn.Deed == Deed.Reboot && from == Stage.Staged)
            return await around.Hook("before-reboot", Environment("before-reboot", turn.Record), cancellationToken);
        var after = to == Stage.Verifying && from != to ? "after-reboot" : to == Stage.Idle && from is not (Stage.Idle or Stage.Staging or Stage.Staged) ? "after-update" : null;
        if (after is not null && await around.Hook(after, Environment(after, turn.Record), cancellationToken) is { } problem)
            around.Tell("HookFailed", problem, true);
        return null;
    }

    private static Dictionary<string, string> Environment(string hook, UpgradeRecord record) => new(StringComparer.Ordinal)
    {
        ["FLOTTA_HOOK"] = hook,
        ["FLOTTA_COMMIT"] = record.Commit ?? "",
        ["FLOTTA_PREVIOUS_COMMIT"] = record.From ?? "",
        ["FLOTTA_UPGRADE_STATUS"] = record.Stage == Stage.Idle ? record.LastStatus ?? "" : "",
    };

    private void Write(UpgradeRecord before, UpgradeTurn turn)
    {
        if (turn.Record == before)
            return;
        if (!Transitions.Allows(before.Stage, turn.Record.Stage))
            throw new InvalidOperationException($"no upgrade goes from {before.Stage} to {turn.Record.Stage}");
        turn.Record.Save(around.RecordFile);
        if (turn.Record.Stage != before.Stage)
            LogStage(logger, turn.Record.Stage, turn.Record.Commit);
    }

    private async Task DoAsync(IHostSystem host, UpgradeTurn turn, string? url, CancellationToken cancellationToken)
    {
        switch (turn.Deed)
        {
            case Deed.Stage:
                await host.StageAsync(turn.Record.Commit!, url, cancellationToken);
                break;
            case Deed.Reboot:
                await DownAsync(cancellationToken);
                break;
            case Deed.TakeBack:
                await host.TakeBackAsync(turn.Record.From!, cancellationToken);
                await DownAsync(cancellationToken);
                break;
        }
    }

    private async Task DownAsync(CancellationToken cancellationToken)
    {
        await around.HaltWorkloads(cancellationToken);
        await around.Tools.RebootAsync(cancellationToken);
    }

    private void Report(UpgradeRecord record, HostState state) => around.Facts.Upgrade = new UpgradeStatus
    {
        CurrentCommitId = state.Booted,
        LastUpgradeStatus = record.Stage == Stage.Idle ? record.LastStatus : Word(record.Stage),
        LastUpgradeTime = record.LastTime?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
    };

    internal static string Word(Stage stage) => stage switch
    {
        Stage.RollingBack => "rolling back",
        _ => stage.ToString().ToLowerInvariant(),
    };

    private void Held(string why)
    {
        if (why == _told)
            return;
        _told = why;
        LogHeld(logger, why);
        around.Tell("UpgradeHeld", why, true);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "upgrade of the operating system to {Commit}: {Stage}")]
    private static partial void LogStage(ILogger logger, Stage stage, string? commit);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the upgrade of the operating system waits: {Why}")]
    private static partial void LogHeld(ILogger logger, string why);
}
