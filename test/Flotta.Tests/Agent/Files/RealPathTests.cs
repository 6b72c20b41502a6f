using Flotta.Agent.Files;
using Flotta.Agent.Workloads;
using Flotta.Tests.ApiServer;

namespace Flotta.Tests.Agent.Files;

public sealed class RealPathTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public RealPathTests()
    {
        Directory.CreateDirectory(_folder.File("var/mnt/data"));
        File.CreateSymbolicLink(_folder.File("mnt"), "var/mnt");
        File.CreateSymbolicLink(_folder.File("var/mnt/back"), "../../mnt/data/../data");
        File.CreateSymbolicLink(_folder.File("absolute"), _folder.File("mnt"));
        File.CreateSymbolicLink(_folder.File("round"), "round");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("var/mnt/data", "var/mnt/data")]
    [InlineData("mnt/data/", "var/mnt/data")]
    [InlineData("mnt/not there/yet", "var/mnt/not there/yet")]
    [InlineData("mnt/back", "var/mnt/data")]
    [InlineData("absolute/data", "var/mnt/data")]
    [InlineData("round/data", "round/data")]
    public void Links_are_followed_wherever_they_are_on_the_way(string path, string real) => RealPath.Of(_folder.File(path)).ShouldBe(RealPath.Of(_folder.Path) + "/" + real);

    [Theory]
    [InlineData("")]
    [InlineData("tmpfs")]
    [InlineData("/a\0b")]
    public void What_is_no_path_stays_what_it_is(string path) => RealPath.Of(path).ShouldBe(path);

    [Fact]
    public void A_host_path_is_on_a_mount_whichever_of_them_is_behind_a_link()
    {
        DesiredPod.IsWithin(_folder.File("mnt/data/shop"), _folder.File("var/mnt/data")).ShouldBeTrue();
        DesiredPod.IsWithin(_folder.File("var/mnt/data"), _folder.File("mnt/data")).ShouldBeTrue();
        DesiredPod.IsWithin(_folder.File("mnt/database"), _folder.File("mnt/data")).ShouldBeFalse();
    }
}
