using Flotta.Agent.Mounts;
using Flotta.Wire;

namespace Flotta.Tests.Agent.Mounts;

public sealed class MountPlanTests
{
    private static readonly Mount Data = new() { Device = "/dev/sdb1", Directory = "/mnt/data", Type = "ext4", Options = "noatime" };

    [Fact]
    public void What_is_not_mounted_is_mounted() => Between([Data], []).ShouldBe([new MountStep.Attach("/mnt/data", "/dev/sdb1", "ext4", "noatime")]);

    [Fact]
    public void What_is_mounted_as_desired_is_left_alone_over_every_change_of_configuration()
    {
        Between([Data], [Data], [Data]).ShouldBe([new MountStep.Keep("/mnt/data")]);
        // As the kernel tells its options; as somebody else mounted it; by a link to the device; with a slash at the end.
        Between([Data], [Data with { Options = "(rw,noatime)" }], [Data]).ShouldBe([new MountStep.Keep("/mnt/data")]);
        Between([Data], [Data]).ShouldBe([new MountStep.Keep("/mnt/data")]);
        Between([Data with { Device = "/dev/disk/by-label/data", Directory = "/mnt/data/" }], [Data]).ShouldBe([new MountStep.Keep("/mnt/data")]);
    }

    [Fact]
    public void What_changed_is_mounted_anew_but_only_where_it_is_ours()
    {
        Between([Data with { Options = "ro" }], [Data], [Data]).ShouldBe([new MountStep.Detach("/mnt/data"), new MountStep.Attach("/mnt/data", "/dev/sdb1", "ext4", "ro")]);
        Between([Data with { Device = "/dev/sdc1" }], [Data]).ShouldHaveSingleItem().ShouldBeOfType<MountStep.Refuse>().Why.ShouldContain("/dev/sdb1");
    }

    [Fact]
    public void What_is_no_longer_desired_is_unmounted_where_it_is_ours_inner_ones_first()
    {
        var inner = Data with { Directory = "/mnt/data/inner" };
        Between([], [Data, inner], [Data, inner]).ShouldBe([new MountStep.Detach("/mnt/data/inner"), new MountStep.Detach("/mnt/data")]);
        Between([], [Data]).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/", "/dev/sdb1", "ext4", "")]
    [InlineData("/etc", "/dev/sdb1", "ext4", "")]
    [InlineData("/mnt/../etc", "/dev/sdb1", "ext4", "")]
    [InlineData("/usr/local/data", "/dev/sdb1", "ext4", "")]
    [InlineData("relative", "/dev/sdb1", "ext4", "")]
    [InlineData("", "/dev/sdb1", "ext4", "")]
    [InlineData("/mnt/a\nb", "/dev/sdb1", "ext4", "")]
    [InlineData("/mnt/data", "/etc/passwd", "ext4", "")]
    [InlineData("/mnt/data", "/dev/../etc/passwd", "ext4", "")]
    [InlineData("/mnt/data", "//server/share", "cifs", "")]
    [InlineData("/mnt/data", "/dev/sdb1", "ext4;reboot", "")]
    [InlineData("/mnt/data", "/dev/sdb1", "", "")]
    [InlineData("/mnt/data", "/dev/sdb1", "ext4", "--bind")]
    [InlineData("/mnt/data", "/dev/sdb1", "ext4", "ro\nrw")]
    public void What_would_harm_the_device_or_makes_no_sense_is_refused(string directory, string device, string type, string options) =>
        Between([new Mount { Directory = directory, Device = device, Type = type, Options = options }], []).ShouldHaveSingleItem().ShouldBeOfType<MountStep.Refuse>();

    [Fact]
    public void Of_two_for_one_folder_the_first_counts() =>
        Between([Data, Data with { Device = "/dev/sdc1" }], [Data]).ShouldBe([new MountStep.Keep("/mnt/data"), new MountStep.Refuse("/mnt/data", "it is there twice; the first counts")]);

    [Fact]
    public void A_folder_behind_a_link_is_the_one_that_it_leads_to()
    {
        var there = Data with { Directory = "/var/mnt/data" };
        Between([Data with { Directory = "/link/data" }], [there], [there]).ShouldBe([new MountStep.Keep("/var/mnt/data")]);
        Between([Data with { Directory = "/link/data" }, there], []).ShouldBe([new MountStep.Attach("/var/mnt/data", "/dev/sdb1", "ext4", "noatime"), new MountStep.Refuse("/var/mnt/data", "it is there twice; the first counts")]);
        Between([Data with { Directory = "/link/etc" }], []).ShouldHaveSingleItem().ShouldBeOfType<MountStep.Refuse>().Directory.ShouldBe("/etc/flotta");
    }

    private static IReadOnlyList<MountStep> Between(Mount[] desired, Mount[] actual, Mount[]? ours = null) =>
        MountPlan.Between(desired, actual, ours ?? [], path => path switch
        {
            "/dev/disk/by-label/data" => "/dev/sdb1",
            "/link/data" => "/var/mnt/data",
            "/link/etc" => "/etc/flotta",
            _ => path,
        });
}
