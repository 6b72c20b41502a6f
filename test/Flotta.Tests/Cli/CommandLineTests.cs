using System.CommandLine;
using System.Net;
using System.Text.RegularExpressions;
using Flotta.Cli;
using Flotta.Cli.Verbs;
using Microsoft.Extensions.Logging;

namespace Flotta.Tests.Cli;

public sealed partial class CommandLineTests
{
    [Theory]
    [InlineData("0", true)]
    [InlineData("65535", true)]
    [InlineData("65536", false)]
    [InlineData("-1", false)]
    [InlineData("http", false)]
    public void A_port_is_a_number_from_0_to_65535(string given, bool accepted)
    {
        var command = new Command("x") { Options.Port("--kube-port", 6443, "") };
        var errors = command.Parse(["--kube-port", given]).Errors;
        errors.Any().ShouldBe(!accepted);
        if (!accepted)
            errors.ShouldContain(error => error.Message.Contains("--kube-port") && error.Message.Contains(given));
    }

    [Fact]
    public void A_default_that_cannot_be_read_breaks_only_the_verb_that_needs_it()
    {
        var port = Options.Port("--edge-port", () => throw new FormatException("HTTPS_PORT is 'x'"), "");
        var command = new Command("x") { port };
        command.Parse(["--edge-port", "1"]).GetValue(port).ShouldBe(1);
    }

    [Theory]
    [InlineData("debug", LogLevel.Debug)]
    [InlineData("Info", LogLevel.Information)]
    [InlineData("warning", LogLevel.Warning)]
    [InlineData("fatal", LogLevel.Critical)]
    [InlineData("loud", null)]
    public void Log_levels_are_the_words_of_the_original(string word, LogLevel? level) => Logs.ParseLevel(word).ShouldBe(level);

    [Fact]
    public void Listening_addresses_are_addresses()
    {
        var listen = Options.Listen();
        var command = new Command("x") { listen };
        command.Parse([]).GetValue(listen).ShouldBe(IPAddress.Loopback);
        command.Parse(["--listen", "::"]).GetValue(listen).ShouldBe(IPAddress.IPv6Any);
        command.Parse(["--listen", "here"]).Errors.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Who_calls_a_verb_wrongly_is_told_which_help_to_ask_for()
    {
        var root = new RootCommand { Device.Command() };
        var (before, said) = (Console.Error, new StringWriter());
        Console.SetError(said);
        try
        {
            (await Invocation.RunAsync(root, ["device", "install-script"])).ShouldBe(2);
        }
        finally
        {
            Console.SetError(before);
        }
        said.ToString().ShouldContain("'flotta device install-script --help'");
    }

    // The flags are a contract: what the page promises is there, and what is there is on the page.
    [Fact]
    public void The_flags_of_every_verb_are_those_of_the_documentation()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "programs.md"));
        var ours = page[..page.IndexOf("## flotta-agent", StringComparison.Ordinal)];
        var documented = Flag().Matches(ours).Select(match => match.Value).Where(flag => flag != "--help").Distinct(StringComparer.Ordinal);
        Command[] verbs =
        [
            Up.Command(), Flotta.Cli.Verbs.ApiServer.Command(), Flotta.Cli.Verbs.Operator.Command(), Flotta.Cli.Verbs.EdgeApi.Command(), Crds.Command(), Kubeconfig.Command(), DeviceLogs.Command(),
            Device.Command(), Backup.Command(), Backup.RestoreCommand(), Migrate.Command(), Doctor.Command(),
        ];
        var real = verbs.SelectMany(verb => verb.Options.Concat(verb.Subcommands.SelectMany(below => below.Options))).Select(option => option.Name).Distinct(StringComparer.Ordinal);
        documented.ShouldBe(real, ignoreOrder: true);
        foreach (var verb in verbs)
            ours.ShouldContain("flotta " + verb.Name);
    }

    [GeneratedRegex("--[a-z]+(-[a-z]+)*", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Flag();
}
