namespace Flotta.Agent.OperatingSystem;

/// <summary>What the configuration asks for.</summary>
/// <param name="Commit">Null: whatever runs is right.</param>
/// <param name="Automatic">Without it nothing is done, and what is wanted is only compared.</param>
internal sealed record UpgradeWish(string? Commit, bool Automatic);

/// <summary>How the machine is.</summary>
/// <param name="Pending">What the next boot will run, where that is another.</param>
/// <param name="Uptime">Since the boot: a clock that no restart of the agent and no adjustment moves.</param>
/// <param name="Reached">The server took a heartbeat in this boot.</param>
internal sealed record UpgradeSeen(string Booted, string? Pending, string BootId, TimeSpan Uptime, bool Reached, DateTimeOffset Now);

internal enum Deed
{
    Wait,
    Stage,
    Reboot,

    /// <summary>Make the commit of before the next boot's, and reboot.</summary>
    TakeBack,
}

/// <summary>What follows: first the record is written, then the deed is done.</summary>
/// <param name="Event">Reason and message of an event, where there is something to tell.</param>
internal sealed record UpgradeTurn(UpgradeRecord Record, Deed Deed, (string Reason, string Message, bool Bad)? Event = null);

/// <summary>The upgrade as a state machine: from what is on disk, wanted and seen to what follows. Asked again and again; it bounds every loop that a broken commit could begin.</summary>
internal static class Upgrade
{
    public const int MostReboots = 3;
    public const int MostBoots = 3;

    /// <summary>From the boot until the server has to have been reached. Longer than a slow network takes, shorter than a person's patience.</summary>
    public static readonly TimeSpan Trial = TimeSpan.FromMinutes(15);

    public static UpgradeTurn Next(UpgradeRecord record, UpgradeWish wish, UpgradeSeen seen) => record.Stage switch
    {
        Stage.Idle => Idle(record, wish, seen),
        Stage.Staging => Staging(record, wish, seen),
        Stage.Staged => Staged(record, wish, seen),
        Stage.Rebooting => Rebooting(record, seen),
        Stage.Verifying => Verifying(record, seen),
        _ => RollingBack(record, seen),
    };

    /// <summary>A commit is its checksum; an image may be named before it, and counts by its digest.</summary>
    public static bool Same(string? one, string? other) => one is { Length: > 0 } && other is { Length: > 0 } && string.Equals(Bare(one), Bare(other), StringComparison.OrdinalIgnoreCase);

    private static string Bare(string commit) => commit[(commit.LastIndexOf('@') + 1)..];

    private static UpgradeTurn Idle(UpgradeRecord record, UpgradeWish wish, UpgradeSeen seen)
    {
        // Another one was asked for, and be it the one that runs: after that it may be tried again.
        if (wish.Commit is { Length: > 0 } && !Same(wish.Commit, record.Failed))
            record = record with { Failed = null };
        if (string.IsNullOrEmpty(wish.Commit) || Same(wish.Commit, seen.Booted) || !wish.Automatic || Same(wish.Commit, record.Failed))
            return new(record, Deed.Wait);
        return new(
            record with { Stage = Stage.Staging, Commit = wish.Commit, From = seen.Booted, BootId = seen.BootId, Attempts = 0, Reason = null },
            Deed.Stage,
            ("UpgradeStarted", $"from {seen.Booted} to {wish.Commit}", false));
    }

    private static UpgradeTurn Staging(UpgradeRecord record, UpgradeWish wish, UpgradeSeen seen)
    {
        if (GivenUp(record, wish) is { } given)
            return given;
        return Same(seen.Pending, record.Commit) || Same(seen.Booted, record.Commit)
            ? new(record with { Stage = Stage.Staged, Attempts = 0 }, Deed.Wait, ("UpgradeStaged", $"{record.Commit} is ready for the next boot", false))
            : new(record with { Attempts = record.Attempts + 1 }, Deed.Stage);
    }

    private static UpgradeTurn Staged(UpgradeRecord record, UpgradeWish wish, UpgradeSeen seen)
    {
        // Somebody else rebooted.
        if (Same(seen.Booted, record.Commit))
            return Begun(record, seen);
        return GivenUp(record, wish) ?? new(record with { Stage = Stage.Rebooting, BootId = seen.BootId, Attempts = 1 }, Deed.Reboot, ("UpgradeRebooting", $"into {record.Commit}", false));
    }

    private static UpgradeTurn Rebooting(UpgradeRecord record, UpgradeSeen seen)
    {
        if (!string.Equals(seen.BootId, record.BootId, StringComparison.Ordinal))
            return Same(seen.Booted, record.Commit) ? Begun(record, seen) : Over(record, seen, $"the machine booted {seen.Booted}: {record.Commit} did not come up, or its health checks failed");
        return record.Attempts < MostReboots
            ? new(record with { Attempts = record.Attempts + 1 }, Deed.Reboot)
            : Over(record, seen, $"the machine does not reboot, {MostReboots} times it was asked to");
    }

    private static UpgradeTurn Verifying(UpgradeRecord record, UpgradeSeen seen)
    {
        if (!Same(seen.Booted, record.Commit))
            return Over(record, seen, $"the machine went back to {seen.Booted}");
        if (seen.Reached)
        {
            return new(
                record with { Stage = Stage.Idle, LastStatus = "succeeded", LastTime = seen.Now, Failed = null, Reason = null },
                Deed.Wait,
                ("UpgradeSucceeded", $"the machine runs {record.Commit} and has reached the server", false));
        }

        var boots = string.Equals(seen.BootId, record.BootId, StringComparison.Ordinal) ? record.Attempts : record.Attempts + 1;
        if (boots > MostBoots)
            return Back(record, seen, $"it booted {MostBoots} times without reaching the server");
        if (seen.Uptime > Trial)
            return Back(record, seen, $"it did not reach the server within {Trial.TotalMinutes:0} minutes");
        return new(record with { BootId = seen.BootId, Attempts = boots }, Deed.Wait);
    }

    private static UpgradeTurn RollingBack(UpgradeRecord record, UpgradeSeen seen)
    {
        if (!Same(seen.Booted, record.Commit))
            return Over(record, seen, record.Reason ?? "it was taken back");
        return record.Attempts < MostReboots
            ? new(record with { Attempts = record.Attempts + 1 }, Deed.TakeBack)
            : Over(record, seen, $"{record.Reason}; it could not be taken back either, and the machine still runs it");
    }

    private static UpgradeTurn Begun(UpgradeRecord record, UpgradeSeen seen) => new(
        record with { Stage = Stage.Verifying, BootId = seen.BootId, Attempts = 1 }, Deed.Wait, ("UpgradeVerifying", $"the machine runs {record.Commit}; the server is to be reached from it", false));

    private static UpgradeTurn Back(UpgradeRecord record, UpgradeSeen seen, string why) => new(
        record with { Stage = Stage.RollingBack, BootId = seen.BootId, Attempts = 1, Reason = why }, Deed.TakeBack, ("UpgradeTakenBack", $"{record.Commit} is taken back: {why}", true));

    private static UpgradeTurn Over(UpgradeRecord record, UpgradeSeen seen, string why) => new(
        record with { Stage = Stage.Idle, LastStatus = "failed", LastTime = seen.Now, Failed = record.Commit, Reason = null },
        Deed.Wait,
        ("UpgradeFailed", $"{record.Commit}: {why}; it is tried again when another commit was asked for", true));

    /// <summary>Up to the reboot a person may change their mind.</summary>
    private static UpgradeTurn? GivenUp(UpgradeRecord record, UpgradeWish wish) => wish.Automatic && Same(wish.Commit, record.Commit)
        ? null
        : new(record with { Stage = Stage.Idle }, Deed.Wait, ("UpgradeGivenUp", $"{record.Commit} is not wanted any more", false));
}
