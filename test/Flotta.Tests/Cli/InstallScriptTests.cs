using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Flotta.Cli.Devices;
using Flotta.Tests.Agent;

namespace Flotta.Tests.Cli;

/// <summary>The script by a real shell, writing below a folder instead of into this machine.</summary>
public sealed class InstallScriptTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("flotta-install-").FullName;
    private readonly TestAuthority _authority = new();

    [Fact]
    public async Task It_writes_certificates_and_configuration_for_root_alone()
    {
        var (certificate, key) = _authority.Issue("CN=register");
        var script = InstallScript.Of(_authority.Pem, certificate, key, []);
        var (code, said) = await RunAsync(script, "flotta.example.com:8043", InstallScript.Fingerprint(_authority.Pem), "till-07");
        code.ShouldBe(0, said);
        File.ReadAllText(InRoot("etc/pki/consumer/key.pem")).Trim().ShouldBe(key.Trim());
        File.ReadAllText(InRoot("etc/pki/consumer/ca.pem")).Trim().ShouldBe(_authority.Pem.Trim());
        foreach (var file in Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories))
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
        var config = Flotta.Yggdrasil.Settings.ConfigFile.Read(InRoot("etc/flotta-agent/config.toml"));
        (config.Server, config.ClientId, config.KeyFile).ShouldBe(("flotta.example.com:8043", "till-07", "/etc/pki/consumer/key.pem"));
        config.Unknown.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("flotta.example.com:8043", "sha256:00", "another server")]
    [InlineData("flotta.example.com", null, "HOST:PORT")]
    [InlineData("a:1\";x", null, "HOST:PORT")]
    [InlineData("a:1", null, "client id", "Till 07")]
    public async Task It_changes_nothing_where_something_is_wrong(string server, string? fingerprint, string problem, string? id = null)
    {
        var (certificate, key) = _authority.Issue("CN=register");
        var (code, said) = await RunAsync(InstallScript.Of(_authority.Pem, certificate, key, []), server, fingerprint ?? InstallScript.Fingerprint(_authority.Pem), id);
        code.ShouldBe(1);
        said.ShouldContain(problem);
        Directory.EnumerateFileSystemEntries(_root).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_package_comes_out_as_it_went_in()
    {
        var content = RandomNumberGenerator.GetBytes(5000);
        var script = InstallScript.Of(_authority.Pem, "", "", [new AgentPackage("deb_amd64", content)]);
        var lines = script[script.IndexOf("package_deb_amd64()", StringComparison.Ordinal)..];
        var function = lines[..(lines.IndexOf("BASE64\n}\n", StringComparison.Ordinal) + 9)];
        var (code, said) = await RunAsync(function + $"package_deb_amd64 | base64 -d | sha256sum\n", "", "", null);
        code.ShouldBe(0);
        said.ShouldStartWith(Convert.ToHexStringLower(SHA256.HashData(content)));
    }

    [Theory]
    [InlineData("/x/flotta-agent_0.3.0_arm64.deb", "deb_arm64")]
    [InlineData("flotta-agent-0.3.0-1.x86_64.rpm", "rpm_x86_64")]
    [InlineData("flotta-agent.deb", null)]
    [InlineData("flotta-agent", null)]
    public void A_package_is_known_by_its_name(string file, string? kind) => AgentPackage.KindOf(file).ShouldBe(kind);

    [Fact]
    public void The_line_names_server_and_fingerprint_and_no_secret()
    {
        var line = InstallScript.Line("h:8043", InstallScript.Fingerprint(_authority.Pem), null, "/d/bootstrap/install.sh");
        using var ca = X509Certificate2.CreateFromPem(_authority.Pem);
        line.ShouldBe($"ssh root@NEW-DEVICE sh -s h:8043 sha256:{ca.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant()} < /d/bootstrap/install.sh");
    }

    /// <summary>Shells hand on the words as they are meant: here to ssh, which joins them for the shell there.</summary>
    [Theory]
    [InlineData("[fd00::7]:8043", "/srv/my fleet/install.sh")]
    [InlineData("h:8043", "/srv/it's/install.sh")]
    [InlineData("h:8043", "/srv/$(id)/install.sh")]
    public async Task The_line_is_one_for_shells_whatever_is_in_it(string server, string file)
    {
        var place = Directory.CreateDirectory(InRoot("there/f:8043"));
        var script = InRoot("there" + file);
        Directory.CreateDirectory(Path.GetDirectoryName(script)!);
        await File.WriteAllTextAsync(script, "printf %s \"$1\"");
        var line = InstallScript.Line(server, "sha256:0", null, script).Replace("ssh root@NEW-DEVICE ", "there ", StringComparison.Ordinal);
        var start = new ProcessStartInfo("sh", ["-c", "there() { sh -c \"$*\"; }; " + line]) { WorkingDirectory = place.Parent!.FullName, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        (await process.StandardOutput.ReadToEndAsync()).ShouldBe(server);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string InRoot(string path) => Path.Combine(_root, path);

    private async Task<(int Code, string Said)> RunAsync(string script, string server, string fingerprint, string? id)
    {
        var start = new ProcessStartInfo("sh") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = id is null ? ["-s", server, fingerprint] : ["-s", server, fingerprint, id];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["FLOTTA_INSTALL_ROOT"] = _root;
        using var process = Process.Start(start)!;
        try
        {
            await process.StandardInput.WriteAsync(script);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read all: what it said and its exit code tell why.
        }

        var said = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, said);
    }
}
