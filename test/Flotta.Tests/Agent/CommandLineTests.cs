using Flotta.Agent.CommandLine;
using Microsoft.Extensions.Logging;

namespace Flotta.Tests.Agent;

public sealed class CommandLineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-cli-").FullName;

    [Fact]
    public async Task The_command_line_wins_over_the_file_key_by_key()
    {
        var config = Path.Combine(_folder, "config.toml");
        File.WriteAllText(config, "server = \"a:1\"\nclient-id = \"from-file\"\nca-root = [\"x.pem\"]\nlog-level = \"debug\"\ndata-dir = \"/d\"\n");
        var (code, options, _) = await RunAsync("--config", config, "--server", "b:2", "--ca-root", "y.pem", "--ca-root", "z.pem");
        code.ShouldBe(0);
        options!.Server.ShouldBe("b:2");
        options.ClientId.ShouldBe("from-file");
        options.CaRoot.ShouldBe(["y.pem", "z.pem"]);
        options.LogLevel.ShouldBe(LogLevel.Debug);
        options.DataDirectory.ShouldBe("/d");
        options.TagsFile.ShouldBe(Path.Combine(_folder, "tags.toml"));
    }

    [Fact]
    public async Task A_command_line_written_for_yggdrasil_works()
    {
        var (code, options, _) = await RunAsync(
            "--log-level", "info", "--protocol", "http", "--server", "h:8043", "--client-id", "dev1", "--path-prefix", "api/flotta-management/v1",
            "--cert-file", "c.pem", "--key-file", "k.pem", "--ca-root", "ca.pem", "--data-host", "x", "--exclude-worker", "y", "--socket-addr", "@z");
        code.ShouldBe(0);
        options!.CertFile.ShouldBe("c.pem");
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("thrifty = true", true)]
    [InlineData("", true, "--thrifty")]
    [InlineData("thrifty = true", false, "--thrifty", "false")]
    public async Task Thrift_is_a_flag_and_a_key(string key, bool expected, params string[] flags)
    {
        var config = Path.Combine(_folder, "config.toml");
        File.WriteAllText(config, $"server = \"a:1\"\n{key}\n");
        var (code, options, _) = await RunAsync(["--config", config, .. flags]);
        code.ShouldBe(0);
        options!.Thrifty.ShouldBe(expected);
    }

    [Theory]
    [InlineData("No server is given")]
    [InlineData("Unrecognized", "--server", "h:1", "--colour", "blue")]
    [InlineData("only of use together", "--server", "h:1", "--cert-file", "c.pem")]
    [InlineData("mqtt", "--server", "h:1", "--protocol", "mqtt")]
    [InlineData("log level", "--server", "h:1", "--log-level", "loud")]
    [InlineData("must be host:port", "--server", "http://h:1")]
    [InlineData("lower-case", "--server", "h:1", "--client-id", "Über Gerät")]
    [InlineData("does not exist", "--config", "/does/not/exist.toml")]
    public async Task Wrong_usage_is_one_sentence_and_exit_code_two(string problem, params string[] arguments)
    {
        var (code, options, errors) = await RunAsync(arguments);
        code.ShouldBe(2);
        options.ShouldBeNull();
        errors.ShouldContain(problem);
        errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<(int Code, AgentOptions? Options, string Errors)> RunAsync(params string[] arguments)
    {
        AgentOptions? seen = null;
        using var errors = new StringWriter();
        var code = await AgentCommand.RunAsync(arguments, errors, options =>
        {
            seen = options;
            return Task.FromResult(0);
        });
        return (code, seen, errors.ToString());
    }
}
