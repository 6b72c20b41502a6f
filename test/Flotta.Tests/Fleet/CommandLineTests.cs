using System.Text.RegularExpressions;
using Flotta.Fleet.CommandLine;
using Flotta.Fleet.Scenarios;

namespace Flotta.Tests.Fleet;

public sealed partial class CommandLineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-fleet-").FullName;

    [Fact]
    public async Task The_folder_of_a_control_plane_is_all_that_is_needed()
    {
        WriteBootstrap();
        var (code, options, _) = await RunAsync("steady", "--data-dir", _folder, "--devices", "7", "--for", "90s");
        code.ShouldBe(0);
        options!.Server.ShouldBe("127.0.0.1:8043");
        options.Devices.ShouldBe(7);
        options.Duration.ShouldBe(TimeSpan.FromSeconds(90));
        options.Settings.Hold.ShouldBe(TimeSpan.FromSeconds(240));
        options.Settings.OffersKey.ShouldBeTrue();
    }

    [Fact]
    public async Task The_originals_devices_poll_over_http_1_and_offer_no_key()
    {
        WriteBootstrap();
        var (_, options, _) = await RunAsync("steady", "--data-dir", _folder, "--server", "h:1", "--original");
        options!.Settings.Hold.ShouldBeNull();
        options.Settings.OffersKey.ShouldBeFalse();
        options.Http.ShouldBe(System.Net.HttpVersion.Version11);
    }

    [Theory]
    [InlineData("no scenario")]
    [InlineData("'fly'", "fly")]
    [InlineData("no server is given", "steady")]
    [InlineData("--ca is missing", "steady", "--server", "h:1")]
    [InlineData("does not exist", "steady", "--server", "h:1", "--ca", "/no/ca.pem", "--cert", "/no/c.pem", "--key", "/no/k.pem")]
    [InlineData("--devices takes a number", "steady", "--devices", "0")]
    [InlineData("--for takes a time", "steady", "--for", "soon")]
    [InlineData("needs --kubeconfig", "rollout", "--server", "h:1")]
    [InlineData("--prefix takes", "steady", "--server", "h:1", "--prefix", "Über")]
    [InlineData("Unrecognized", "cold-start", "--rate", "5")]
    public async Task Wrong_usage_is_one_sentence_and_exit_code_two(string problem, params string[] arguments)
    {
        var (code, options, errors) = await RunAsync(arguments);
        code.ShouldBe(2);
        options.ShouldBeNull();
        errors.ShouldContain(problem);
        errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
    }

    [Theory]
    [InlineData("250ms", 0.25)]
    [InlineData("1.5s", 1.5)]
    [InlineData("10m", 600.0)]
    [InlineData("2h", 7200.0)]
    [InlineData("5", null)]
    [InlineData("s", null)]
    [InlineData("-5s", null)]
    [InlineData("99999999h", null)]
    public void A_time_is_a_number_and_its_unit(string text, double? seconds) => (FleetCommand.Span(text)?.TotalSeconds).ShouldBe(seconds);

    // The flags are a contract: what the page promises is there, and what is there is on the page.
    [Fact]
    public void The_flags_of_every_scenario_are_those_of_the_documentation()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "programs.md"));
        var ours = page[page.IndexOf("## flotta-fleet", StringComparison.Ordinal)..];
        var end = ours.IndexOf("\n## ", StringComparison.Ordinal);
        ours = end < 0 ? ours : ours[..end];
        var scenarios = FleetCommand.Root(TextWriter.Null, (_, _) => Task.FromResult(0)).Subcommands;
        Flag().Matches(ours).Select(match => match.Value).Distinct(StringComparer.Ordinal)
            .ShouldBe(scenarios.SelectMany(scenario => scenario.Options).Select(option => option.Name).Distinct(StringComparer.Ordinal), ignoreOrder: true);
        foreach (var scenario in scenarios)
            ours.ShouldContain("`" + scenario.Name + "`");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void WriteBootstrap()
    {
        var authority = new Agent.TestAuthority();
        Directory.CreateDirectory(Path.Combine(_folder, "bootstrap"));
        var (certificate, key) = authority.Issue("CN=register, O=flotta-operator");
        File.WriteAllText(Path.Combine(_folder, "bootstrap", "ca.pem"), authority.Pem);
        File.WriteAllText(Path.Combine(_folder, "bootstrap", "cert.pem"), certificate);
        File.WriteAllText(Path.Combine(_folder, "bootstrap", "key.pem"), key);
    }

    private static async Task<(int Code, FleetOptions? Options, string Errors)> RunAsync(params string[] arguments)
    {
        FleetOptions? seen = null;
        using var errors = new StringWriter();
        var code = await FleetCommand.RunAsync(arguments, errors, (options, _) =>
        {
            seen = options;
            return Task.FromResult(0);
        });
        return (code, seen, errors.ToString());
    }

    [GeneratedRegex("--[a-z]+[0-9]*(-[a-z]+)*", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Flag();
}
