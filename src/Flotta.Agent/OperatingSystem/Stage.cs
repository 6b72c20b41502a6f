namespace Flotta.Agent.OperatingSystem;

/// <summary>Where an upgrade of the operating system is. The names are on disk and in the device's status.</summary>
internal enum Stage
{
    Idle,

    /// <summary>The commit is fetched and made ready for the next boot.</summary>
    Staging,

    /// <summary>It is ready; the machine has not been touched yet.</summary>
    Staged,

    /// <summary>The machine goes down, or should: the workloads are stopped.</summary>
    Rebooting,

    /// <summary>The machine runs the commit; it counts once the server has been reached from it.</summary>
    Verifying,

    /// <summary>It did not prove itself: the commit of before is made the next boot's.</summary>
    RollingBack,
}

/// <summary>Which stage may follow which; anything else is a mistake of ours and is not written down.</summary>
internal static class Transitions
{
    private static readonly Dictionary<Stage, Stage[]> Legal = new()
    {
        [Stage.Idle] = [Stage.Staging],
        [Stage.Staging] = [Stage.Staged, Stage.Idle],
        [Stage.Staged] = [Stage.Rebooting, Stage.Verifying, Stage.Idle],
        [Stage.Rebooting] = [Stage.Verifying, Stage.Idle],
        [Stage.Verifying] = [Stage.Idle, Stage.RollingBack],
        [Stage.RollingBack] = [Stage.Idle],
    };

    public static bool Allows(Stage from, Stage to) => from == to || Legal[from].Contains(to);
}
