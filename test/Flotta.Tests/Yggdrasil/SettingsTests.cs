using Flotta.Yggdrasil.Settings;

namespace Flotta.Tests.Yggdrasil;

public sealed class SettingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-tags-").FullName;

    [Fact]
    public void The_usual_file_of_a_flotta_device_is_understood()
    {
        var file = ConfigFile.Parse(
            """
            log-level = "info"
            cert-file = "/etc/pki/consumer/cert.pem"
            key-file = "/etc/pki/consumer/key.pem"
            ca-root = ["/etc/pki/consumer/ca.pem"]
            path-prefix = "api/flotta-management/v1"
            protocol = "http"
            client-id = "dev1"
            server = "project-flotta.io:8043"
            exclude-worker = []
            colour = "blue"
            """,
            "config.toml");
        file.CaRoot.ShouldBe(["/etc/pki/consumer/ca.pem"]);
        file.Server.ShouldBe("project-flotta.io:8043");
        file.Unknown.ShouldBe(["colour"]);
    }

    [Theory]
    [InlineData("server = 7", "config.toml: server must be a string.")]
    [InlineData("ca-root = [1]", "config.toml: ca-root must be an array of strings.")]
    [InlineData("server = ", "config.toml is not valid TOML: (1,10)")]
    public void A_file_that_will_not_do_is_refused_with_the_place(string text, string problem) =>
        Should.Throw<SettingsException>(() => ConfigFile.Parse(text, "config.toml")).Message.ShouldStartWith(problem);

    [Fact]
    public void Tags_are_flat_values_of_every_simple_kind_and_name_the_namespace()
    {
        var path = Path.Combine(_folder, "tags.toml");
        var tags = new Tags(path);
        tags.Namespace().ShouldBe("default");
        var before = tags.Stamp;
        File.WriteAllText(path, "namespace = \"edge\"\nrack = 7\nratio = 0.5\nspare = true\nsince = 2026-11-22\n");
        tags.Namespace().ShouldBe("edge");
        tags.Stamp.ShouldNotBe(before);
        var read = tags.Read();
        read["rack"].ShouldBe("7");
        read["ratio"].ShouldBe("0.5");
        read["spare"].ShouldBe("true");
        read["since"].ShouldContain("2026");
        File.WriteAllText(path, "[nested]\na = 1\n");
        Should.Throw<SettingsException>(tags.Read).Message.ShouldContain("nested must be");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
