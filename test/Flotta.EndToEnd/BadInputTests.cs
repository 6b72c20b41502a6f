using System.Net;
using System.Net.Sockets;

namespace Flotta.EndToEnd;

/// <summary>What a person gets wrong: one clear sentence, an exit code that is not 0, nothing damaged.</summary>
public sealed class BadInputTests
{
    [Theory]
    [InlineData("up")]
    [InlineData("up", "--data-dir")]
    [InlineData("up", "--data-dir", "x", "--kube-port", "99999")]
    [InlineData("up", "--data-dir", "x", "--edge-port", "many")]
    [InlineData("up", "--data-dir", "x", "--listen", "here")]
    [InlineData("up", "--data-dir", "x", "--no-such-flag")]
    [InlineData("fly")]
    [InlineData("operator", "--log-level", "loud")]
    public async Task A_wrong_call_of_flotta_ends_with_2_and_points_to_help(params string[] arguments)
    {
        var (exitCode, output, said) = await RunningProgram.RunAsync(Programs.Flotta, arguments);
        exitCode.ShouldBe(2, said);
        output.ShouldBeEmpty();
        said.ShouldContain("error: ");
        said.ShouldContain("--help");
    }

    [Theory]
    [InlineData("--protocol", "mqtt", "--server", "127.0.0.1:1")]
    [InlineData("--no-such-flag")]
    public async Task A_wrong_call_of_the_agent_ends_with_2_and_points_to_help(params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        var (exitCode, _, said) = await RunningProgram.RunAsync(Programs.Agent, ["--data-dir", folder.Path, .. arguments]);
        exitCode.ShouldBe(2, said);
        said.ShouldContain("--help");
    }

    [Theory]
    [InlineData("")]
    [InlineData("up")]
    [InlineData("operator")]
    [InlineData("edge-api")]
    [InlineData("api-server")]
    [InlineData("crds")]
    public async Task Help_of_every_verb_ends_with_examples(string verb)
    {
        string[] arguments = verb.Length == 0 ? ["--help"] : [verb, "--help"];
        var (exitCode, output, _) = await RunningProgram.RunAsync(Programs.Flotta, arguments);
        exitCode.ShouldBe(0);
        output.ShouldContain("Examples:\n  flotta " + verb);
    }

    [Fact]
    public async Task Help_of_the_agent_names_its_contract_and_ends_with_examples()
    {
        var (exitCode, output, _) = await RunningProgram.RunAsync(Programs.Agent, ["--help"]);
        exitCode.ShouldBe(0);
        foreach (var flag in new[] { "--server", "--cert-file", "--key-file", "--ca-root", "--client-id", "--path-prefix", "--protocol", "--data-dir", "--podman-socket", "Examples:" })
            output.ShouldContain(flag);
    }

    [Theory]
    [InlineData("--kube-port")]
    [InlineData("--edge-port")]
    [InlineData("--metrics-port")]
    public async Task A_port_in_use_is_named(string flag)
    {
        using var folder = new TemporaryFolder();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        string[] free = [.. new[] { "--kube-port", "--edge-port", "--metrics-port" }.Where(other => other != flag).SelectMany(other => new[] { other, "0" })];
        var (exitCode, output, said) = await RunningProgram.RunAsync(Programs.Flotta, ["up", "--data-dir", folder.Path, flag, port, .. free, "--log-level", "error"]);
        exitCode.ShouldBe(1, said);
        output.ShouldBeEmpty();
        said.ShouldContain(port);
        ErrorLines(said).ShouldBe(1, said);
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_made_is_named()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "file");
        await File.WriteAllTextAsync(file, "");
        var (exitCode, _, said) = await RunningProgram.RunAsync(Programs.Flotta, ["up", "--data-dir", Path.Combine(file, "data"), "--kube-port", "0", "--edge-port", "0", "--metrics-port", "0"]);
        exitCode.ShouldBe(1, said);
        said.ShouldContain("--data-dir");
        ErrorLines(said).ShouldBe(1, said);
    }

    [Fact]
    public async Task A_data_folder_in_use_is_left_alone()
    {
        using var folder = new TemporaryFolder();
        await using var plane = await EmbeddedControlPlane.StartAsync(folder.Path);
        var (exitCode, _, said) = await RunningProgram.RunAsync(Programs.Flotta, ["up", "--data-dir", folder.Path, "--kube-port", "0", "--edge-port", "0", "--metrics-port", "0"]);
        exitCode.ShouldBe(1, said);
        said.ShouldContain(folder.Path);
        ErrorLines(said).ShouldBe(1, said);
        (await plane.KubectlAsync("get", "namespaces", "-o", "name")).ShouldContain("flotta");
    }

    [Theory]
    [InlineData("there is: [no YAML")]
    [InlineData("")]
    [InlineData("apiVersion: v1\nkind: Config\nclusters: []\n")]
    public async Task A_corrupt_kubeconfig_is_named(string content)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "kubeconfig");
        await File.WriteAllTextAsync(file, content);
        var (exitCode, _, said) = await RunningProgram.RunAsync(Programs.Flotta, ["operator", "--kubeconfig", file, "--metrics-port", "0"]);
        exitCode.ShouldBe(1, said);
        said.ShouldContain(file);
        ErrorLines(said).ShouldBe(1, said);
    }

    [Fact]
    public async Task A_kubeconfig_that_is_not_there_is_named()
    {
        var (exitCode, _, said) = await RunningProgram.RunAsync(Programs.Flotta, ["operator", "--kubeconfig", "/nowhere/kubeconfig", "--metrics-port", "0"]);
        exitCode.ShouldBe(1, said);
        said.ShouldContain("/nowhere/kubeconfig");
    }

    [Theory]
    [InlineData("-----BEGIN CERTIFICATE-----\nnot base64\n-----END CERTIFICATE-----\n")]
    [InlineData("")]
    public async Task A_corrupt_certificate_is_named_by_the_agent(string content)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "cert.pem");
        await File.WriteAllTextAsync(file, content);
        var (exitCode, _, said) = await RunningProgram.RunAsync(
            Programs.Agent,
            ["--server", "127.0.0.1:1", "--protocol", "http", "--cert-file", file, "--key-file", file, "--ca-root", file, "--client-id", "d", "--data-dir", folder.Sub("data")]);
        exitCode.ShouldBe(1, said);
        said.ShouldContain(file);
    }

    private static int ErrorLines(string said) => said.Split('\n').Count(line => line.StartsWith("error: ", StringComparison.Ordinal));
}
