using System.Text.Json;
using Flotta.Agent.Hardware;
using Flotta.Wire;

namespace Flotta.Tests.Agent.Hardware;

public sealed class HardwareFactsTests
{
    [Fact]
    public void A_server_is_described_by_its_files()
    {
        using var machine = FakeMachine.Server();
        var facts = HardwareFacts.Read(machine.Root, name => name == "eth0" ? ["192.0.2.7/24", "fe80::1/64", "fd00::7/64"] : []);

        facts.Hostname.ShouldBe("till-07");
        facts.Boot!.CurrentBootMode.ShouldBe("uefi");
        facts.Memory.ShouldBe(new MemoryInfo(3L * 0x8000000 > 2048000L * 1024 ? 3L * 0x8000000 : 2048000L * 1024, 2048000L * 1024));
        facts.SystemVendor.ShouldBe(new SystemVendor { Manufacturer = "Acme", ProductName = "Box 3000", SerialNumber = "S-1", Virtual = false });
        var cpu = facts.Cpu!;
        (cpu.Architecture, cpu.Count, cpu.ModelName, cpu.Frequency).ShouldBe(("x86_64", 2, "Some CPU @ 2.40GHz", 2400));
        cpu.Flags.ShouldBe(["fpu", "sse2"]);
        facts.Disks.ShouldHaveSingleItem().ShouldBe(new Disk
        {
            Name = "sda", Path = "/dev/sda", SizeBytes = 1048576, DriveType = "HDD", Model = "DISK", Hctl = "0:0:0:0", ById = "/dev/disk/by-id/ata-DISK_1",
        });
    }

    [Fact]
    public void Interfaces_are_real_cards_and_bonds_with_their_addresses()
    {
        using var machine = FakeMachine.Server();
        var interfaces = HardwareFacts.Read(machine.Root, name => name == "eth0" ? ["192.0.2.7/24", "fe80::1/64", "fd00::7/64"] : []).Interfaces!;

        interfaces.Select(one => one.Name).ShouldBe(["bond0", "eth0"]);
        var card = interfaces[1];
        (card.MacAddress, card.Mtu, card.SpeedMbps, card.HasCarrier).ShouldBe(("52:54:00:00:00:01", 1500, 1000, true));
        card.Flags.ShouldBe(["up", "broadcast", "multicast"]);
        card.Ipv4Addresses.ShouldBe(["192.0.2.7/24"]);
        card.Ipv6Addresses.ShouldBe(["fd00::7/64"]);
        interfaces[0].SpeedMbps.ShouldBeNull();
    }

    [Fact]
    public void Mounts_have_their_names_unescaped_and_those_of_containers_left_out()
    {
        using var machine = FakeMachine.Server();
        HardwareFacts.Read(machine.Root).Mounts.ShouldBe(
        [
            new Mount { Device = "proc", Directory = "/proc", Type = "proc", Options = "(rw,relatime)" },
            new Mount { Device = "/dev/sda1", Directory = "/", Type = "ext4", Options = "(rw,relatime,discard)" },
            new Mount { Device = "/dev/sdb1", Directory = "/mnt/my disk", Type = "vfat", Options = "(ro,relatime,utf8)" },
        ]);
    }

    [Fact]
    public void An_empty_machine_is_no_error()
    {
        using var machine = new FakeMachine();
        var facts = HardwareFacts.Read(machine.Root);
        facts.SystemVendor!.Manufacturer.ShouldBe("unknown");
        facts.Boot!.CurrentBootMode.ShouldBe("bios");
        facts.Disks.ShouldBeEmpty();
        facts.Memory.ShouldBeNull();
    }

    [Fact]
    public void This_machine_has_a_null_device_and_a_report_that_is_not_too_long()
    {
        var facts = HardwareFacts.Read();
        var nothing = facts.HostDevices!.Single(device => device.Path == "/dev/null");
        (nothing.DeviceType, nothing.Major, nothing.Minor, nothing.Uid, nothing.Gid).ShouldBe(("c", 1, 3, 0, 0));
        facts.Memory!.UsableBytes!.Value.ShouldBeGreaterThan(0);
        JsonSerializer.SerializeToUtf8Bytes(facts, WireJson.Types.HardwareInfo).Length.ShouldBeLessThan(256 << 10);
    }

    [Fact]
    public void Files_without_end_do_not_make_a_report_without_end()
    {
        using var machine = FakeMachine.Server();
        var longest = new string('x', 100_000);
        machine.With("/sys/class/dmi/id/product_name", longest)
            .With("/proc/cpuinfo", "processor : 0\nmodel name : " + longest + "\nflags : " + string.Join(' ', Enumerable.Range(0, 5000)))
            .With("/proc/self/mountinfo", string.Concat(Enumerable.Range(0, 2000).Select(at => $"{at} 1 0:1 / /m/{at}/{longest[..300]} rw,{longest[..300]} - ext4 /dev/{longest[..300]} rw\n")));
        JsonSerializer.SerializeToUtf8Bytes(HardwareFacts.Read(machine.Root), WireJson.Types.HardwareInfo).Length.ShouldBeLessThan(256 << 10);
    }

    [Fact]
    public void A_delta_holds_only_what_changed()
    {
        using var machine = FakeMachine.Server();
        var before = HardwareFacts.Read(machine.Root, _ => ["192.0.2.7/24"]);

        HardwareFacts.Delta(before, HardwareFacts.Read(machine.Root, _ => ["192.0.2.7/24"])).ShouldBeNull();
        var moved = HardwareFacts.Delta(before, HardwareFacts.Read(machine.Root, _ => ["192.0.2.8/24"]))!;
        (moved.Hostname, moved.Mounts, moved.Cpu).ShouldBe((null, null, null));
        moved.Interfaces!.Count.ShouldBe(2);
        machine.With("/proc/sys/kernel/hostname", "till-08\n");
        HardwareFacts.Delta(before, HardwareFacts.Read(machine.Root, _ => ["192.0.2.7/24"])).ShouldBe(new HardwareInfo { Hostname = "till-08" });
        HardwareFacts.Delta(null, before)!.Mounts.ShouldNotBeNull();
    }
}
