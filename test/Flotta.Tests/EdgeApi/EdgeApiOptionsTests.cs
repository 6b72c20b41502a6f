using Flotta.EdgeApi;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.EdgeApi;

public sealed class EdgeApiOptionsTests
{
    [Fact]
    public void The_environment_has_the_originals_names()
    {
        var options = Read(new() { ["HTTPS_PORT"] = ":9443", ["DOMAIN"] = "edge.example.org", ["TLS_LOCALHOST_ENABLED"] = "false", ["CLIENT_CERT_EXPIRATION_DAYS"] = "7", ["POD_NAME"] = "Edge_0" });
        (options.Port, options.Domain, options.TlsLocalhost, options.ClientCertificateDays, options.Replica).ShouldBe((9443, "edge.example.org", false, 7, "edge-0"));
    }

    [Fact]
    public void Without_it_the_defaults_are_the_originals()
    {
        var options = Read([]);
        (options.Port, options.Domain, options.TlsLocalhost, options.ClientCertificateDays).ShouldBe((8043, "project-flotta.io", true, 30));
    }

    [Theory]
    [InlineData("HTTPS_PORT", "http")]
    [InlineData("CLIENT_CERT_EXPIRATION_DAYS", "0")]
    [InlineData("DRAIN_SECONDS", "11")]
    [InlineData("TLS_LOCALHOST_ENABLED", "maybe")]
    [InlineData("BACKEND", "tape")]
    public void What_cannot_be_read_is_named(string name, string value) =>
        Should.Throw<FormatException>(() => Read(new() { [name] = value })).Message.ShouldContain(name);

    private static EdgeApiOptions Read(Dictionary<string, string> environment) => EdgeApiOptions.FromEnvironment(name => environment.GetValueOrDefault(name));
}
