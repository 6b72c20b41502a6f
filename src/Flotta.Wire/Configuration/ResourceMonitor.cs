namespace Flotta.Wire;

/// <summary>Ours: a resource of the device whose use raises an alarm.</summary>
public sealed record ResourceMonitor
{
    public string? Name { get; init; }

    /// <summary>One of <see cref="MonitoredResources"/>.</summary>
    public string? Resource { get; init; }

    /// <summary>A folder of the file system, for a disk.</summary>
    public string? Path { get; init; }

    /// <summary>Percent.</summary>
    public int Threshold { get; init; }

    /// <summary>Percent below which the alarm ends.</summary>
    public int? ResetBelow { get; init; }

    public int? DurationSeconds { get; init; }
}

public static class MonitoredResources
{
    public const string Cpu = "cpu";
    public const string Memory = "memory";
    public const string Disk = "disk";

    public static bool IsKnown(string? resource) => resource is Cpu or Memory or Disk;
}
