namespace Flotta.Tests.Agent.Hardware;

/// <summary>A folder that looks like the root of a machine.</summary>
internal sealed class FakeMachine : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("flotta-machine-").FullName;

    public FakeMachine With(string path, string content)
    {
        var file = Path.Combine(Root, path.TrimStart('/'));
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
        return this;
    }

    public FakeMachine WithLink(string path, string target)
    {
        var file = Path.Combine(Root, path.TrimStart('/'));
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.CreateSymbolicLink(file, target);
        return this;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    /// <summary>A small server with one SATA disk, one NVMe disk, a wired card, a bond and the leftovers of containers.</summary>
    public static FakeMachine Server() => new FakeMachine()
        .With("/proc/sys/kernel/hostname", "till-07\n")
        .With("/proc/sys/kernel/arch", "x86_64\n")
        .With("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 2.40GHz\ncpu MHz\t\t: 1200.417\nflags\t\t: fpu sse2\n\nprocessor\t: 1\nmodel name\t: Some CPU @ 2.40GHz\n")
        .With("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "2400000\n")
        .With("/proc/meminfo", "MemTotal:        2048000 kB\nMemFree: 1 kB\n")
        .With("/sys/devices/system/memory/block_size_bytes", "8000000\n")
        .With("/sys/devices/system/memory/memory0/online", "1")
        .With("/sys/devices/system/memory/memory17/online", "1")
        .With("/sys/devices/system/memory/memory18/online", "1")
        .With("/sys/firmware/efi/fw_platform_size", "64\n")
        .With("/sys/class/dmi/id/sys_vendor", "Acme\n")
        .With("/sys/class/dmi/id/product_name", "Box 3000\n")
        .With("/sys/class/dmi/id/product_serial", "S-1\n")
        .With("/sys/devices/pci0000:00/0:0:0:0/model", "DISK  \n")
        .With("/sys/block/sda/size", "2048\n")
        .With("/sys/block/sda/queue/rotational", "1\n")
        .WithLink("/sys/block/sda/device", "../../devices/pci0000:00/0:0:0:0")
        .With("/sys/block/loop0/size", "8\n")
        .WithLink("/dev/disk/by-id/ata-DISK_1", "../../sda")
        .With("/sys/devices/pci0000:00/net/eth0/address", "52:54:00:00:00:01\n")
        .With("/sys/devices/pci0000:00/net/eth0/mtu", "1500\n")
        .With("/sys/devices/pci0000:00/net/eth0/speed", "1000\n")
        .With("/sys/devices/pci0000:00/net/eth0/carrier", "1\n")
        .With("/sys/devices/pci0000:00/net/eth0/flags", "0x1003\n")
        .WithLink("/sys/class/net/eth0", "../../devices/pci0000:00/net/eth0")
        .With("/sys/devices/virtual/net/veth1/address", "x")
        .WithLink("/sys/class/net/veth1", "../../devices/virtual/net/veth1")
        .With("/sys/devices/virtual/net/lo/address", "x")
        .WithLink("/sys/class/net/lo", "../../devices/virtual/net/lo")
        .With("/sys/devices/virtual/net/bond0/bonding/mode", "x")
        .With("/sys/devices/virtual/net/bond0/speed", "-1\n")
        .WithLink("/sys/class/net/bond0", "../../devices/virtual/net/bond0")
        .With("/proc/self/mountinfo", """
            22 27 0:21 / /proc rw,relatime - proc proc rw
            27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,discard
            28 27 254:1 / /mnt/my\040disk ro,relatime master:1 shared:2 - vfat /dev/sdb1 rw,utf8
            29 27 0:50 / /var/lib/containers/storage/overlay/abc/merged rw - overlay overlay rw
            broken line

            """);
}
