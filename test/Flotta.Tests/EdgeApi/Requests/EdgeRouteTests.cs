using Flotta.EdgeApi.Identity;
using Flotta.EdgeApi.Requests;

namespace Flotta.Tests.EdgeApi.Requests;

public sealed class EdgeRouteTests
{
    [Theory]
    [InlineData("control/Dev-1/in", "ControlIn")]
    [InlineData("control/Dev-1/out/", "ControlOut")]
    [InlineData("data/Dev-1/in", "DataIn")]
    [InlineData("data/Dev-1/out", "DataOut")]
    public void The_four_paths_are_found(string path, string endpoint)
    {
        var route = EdgeRoute.Find(EdgeRoute.Prefix + path).ShouldNotBeNull();
        route.Endpoint.ToString().ShouldBe(endpoint);
        route.DeviceId.ShouldBe("dev-1");
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("a.b-c.9", true)]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("a..b", false)]
    [InlineData("a.", false)]
    [InlineData("-a", false)]
    [InlineData("a-", false)]
    [InlineData("A", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("ä", false)]
    public void Names_of_objects_are_DNS_subdomains(string name, bool valid) => ObjectName.IsValid(name).ShouldBe(valid);

    [Fact]
    public void Names_have_a_length()
    {
        ObjectName.IsValid(new string('a', 63)).ShouldBeTrue();
        ObjectName.IsValid(new string('a', 64)).ShouldBeFalse();
        ObjectName.IsValid(string.Join('.', Enumerable.Repeat(new string('a', 50), 5))).ShouldBeFalse();
        ObjectName.IsNamespace("a.b").ShouldBeFalse();
    }
}
