using Flotta.Yggdrasil.Transport;

namespace Flotta.Tests.Yggdrasil;

public sealed class ServerAddressTests
{
    [Theory]
    [InlineData("flotta.example.com:8043", "api/flotta-management/v1", "https://flotta.example.com:8043/api/flotta-management/v1/data/dev1/out")]
    [InlineData("https://localhost:8043/", "/api/flotta-management/v1/", "https://localhost:8043/api/flotta-management/v1/data/dev1/out")]
    [InlineData("[::1]:8043", "yggdrasil", "https://[::1]:8043/yggdrasil/data/dev1/out")]
    [InlineData("10.0.0.1", "", "https://10.0.0.1/data/dev1/out")]
    public void The_four_endpoints_are_where_yggdrasil_expects_them(string server, string prefix, string expected) =>
        new ServerAddress(server, prefix, "dev1").Out(Channel.Data).AbsoluteUri.ShouldBe(expected);

    [Fact]
    public void Names_cannot_leave_their_place_in_the_path() =>
        new ServerAddress("h:1", "a/../..", "x/../y?z").In(Channel.Control).AbsoluteUri.ShouldEndWith("control/x%2F..%2Fy%3Fz/in");

    [Theory]
    [InlineData("http://h:1")]
    [InlineData("mqtt://h:1")]
    [InlineData("h:1/path")]
    [InlineData("user@h:1")]
    [InlineData("h:port")]
    [InlineData("")]
    public void What_is_no_host_and_port_is_refused_with_a_sentence(string server) =>
        Should.Throw<FormatException>(() => new ServerAddress(server, "p", "d")).Message.ShouldEndWith(server.Contains("://", StringComparison.Ordinal) ? "https." : "host:port.");
}
