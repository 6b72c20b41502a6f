using Flotta.Wire;

namespace Flotta.Fleet.Devices;

/// <summary>What a small computer says of itself; all the same but for names and addresses.</summary>
internal static class SimulatedHardware
{
    /// <summary>Becomes the label <c>device.system-manufacturer</c>, by which workloads select the fleet.</summary>
    public const string Manufacturer = "flotta-fleet";

    private static readonly HardwareInfo Common = new()
    {
        Boot = new Boot { CurrentBootMode = "uefi" },
        Cpu = new Cpu
        {
            Architecture = "x86_64",
            Count = 4,
            Flags = ["fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "sep", "mtrr", "sse", "sse2", "ssse3", "sse4_1", "sse4_2", "aes", "avx", "avx2", "rdrand"],
            Frequency = 1800,
            ModelName = "Simulated CPU @ 1.80GHz",
        },
        Gpus = [],
        HostDevices = [],
        Memory = new MemoryInfo(PhysicalBytes: 8L << 30, UsableBytes: 7L << 30),
        Mounts = [new Mount { Device = "/dev/sda1", Directory = "/", Type = "ext4", Options = "rw,relatime" }],
    };

    public static HardwareInfo Of(string id, int number) => Common with
    {
        Hostname = id,
        Disks = [new Disk { Name = "sda", Path = "/dev/sda", DriveType = "SSD", Model = "SIM-64", Serial = id, SizeBytes = 64L << 30, Bootable = true }],
        Interfaces =
        [
            new Interface
            {
                Name = "eth0",
                MacAddress = $"02:00:{(byte)(number >> 24):x2}:{(byte)(number >> 16):x2}:{(byte)(number >> 8):x2}:{(byte)number:x2}",
                Ipv4Addresses = [$"10.{(byte)(number >> 16)}.{(byte)(number >> 8)}.{(byte)number}/8"],
                Ipv6Addresses = [],
                Flags = ["up", "broadcast", "multicast"],
                HasCarrier = true,
                Mtu = 1500,
                SpeedMbps = 1000,
                Vendor = "simulated",
            },
        ],
        SystemVendor = new SystemVendor { Manufacturer = Manufacturer, ProductName = "simulated device", SerialNumber = id, Virtual = true },
    };
}
