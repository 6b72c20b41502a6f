using System.Text.Json;
using Flotta.Wire;

namespace Flotta.Agent.Hardware;

/// <summary>What the machine is, from /proc, /sys and /dev. Never throws: what cannot be read is left out, and every list has an end.</summary>
public static class HardwareFacts
{
    /// <param name="root">The root of the file system to look at; tests give a folder.</param>
    public static HardwareInfo Read(string root = "/") => Read(root, root == "/" ? NetworkFacts.AddressesOfThisMachine : _ => []);

    internal static HardwareInfo Read(string root, Func<string, IReadOnlyList<string>> addresses)
    {
        var files = new MachineFiles(root);
        return new HardwareInfo
        {
            Hostname = files.Text("/proc/sys/kernel/hostname"),
            Boot = new Boot { CurrentBootMode = files.Exists("/sys/firmware/efi") ? "uefi" : "bios" },
            Cpu = ProcessorFacts.Read(files),
            Memory = ProcessorFacts.Memory(files),
            Disks = DiskFacts.Read(files),
            Gpus = DiskFacts.Gpus(files),
            HostDevices = DeviceNodes.Read(files),
            Interfaces = NetworkFacts.Read(files, addresses),
            Mounts = MountFacts.Read(files),
            SystemVendor = VendorFacts.Read(files),
        };
    }

    /// <summary>The facts that change while the machine runs: host name, interfaces, mounts.</summary>
    public static HardwareInfo Mutable(HardwareInfo facts) => new() { Hostname = facts.Hostname, Interfaces = facts.Interfaces, Mounts = facts.Mounts };

    /// <summary>Those mutable facts that differ, or null when none does.</summary>
    public static HardwareInfo? Delta(HardwareInfo? before, HardwareInfo now)
    {
        if (before is null)
            return Mutable(now);
        var delta = new HardwareInfo
        {
            Hostname = before.Hostname == now.Hostname ? null : now.Hostname,
            Interfaces = Same(new() { Interfaces = before.Interfaces }, new() { Interfaces = now.Interfaces }) ? null : now.Interfaces,
            Mounts = Same(new() { Mounts = before.Mounts }, new() { Mounts = now.Mounts }) ? null : now.Mounts,
        };
        return delta is { Hostname: null, Interfaces: null, Mounts: null } ? null : delta;
    }

    // Records compare their lists by reference; what would be sent is what counts.
    private static bool Same(HardwareInfo one, HardwareInfo other) =>
        JsonSerializer.Serialize(one, WireJson.Types.HardwareInfo) == JsonSerializer.Serialize(other, WireJson.Types.HardwareInfo);
}
