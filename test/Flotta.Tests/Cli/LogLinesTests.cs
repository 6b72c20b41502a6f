using System.Text;
using Flotta.Cli;
using Flotta.Cli.Verbs;

namespace Flotta.Tests.Cli;

/// <summary>What a person's terminal gets of what a device sends.</summary>
public sealed class LogLinesTests
{
    [Fact]
    public async Task Records_are_read_in_their_order_and_what_is_none_is_left_out()
    {
        var lines = await ReadAsync("""

            {"container":"web","time":"2026-11-29T00:00:00Z","line":"one"}
            nonsense
            []
            {"line":7}
            {"line":"two"}
            {"end":"ended after 64 MiB"}

            """);
        lines.ShouldBe([new("web", "2026-11-29T00:00:00Z", "one", null), new(null, null, "two", null), new(null, null, null, "ended after 64 MiB")]);
    }

    [Fact]
    public async Task A_line_without_end_costs_no_memory_and_hides_nothing_that_comes_after_it()
    {
        var lines = await ReadAsync("{\"line\":\"" + new string('x', 2_000_000) + "\"}\n{\"line\":\"after\"}\n");
        lines.Select(line => line.Text).ShouldBe(["after"]);
    }

    [Fact]
    public void Nothing_in_a_line_steers_a_terminal() => LogLines.Harmless("a\tb\u001b[2Jc\u009bd\r").ShouldBe("a\tb\uFFFD[2Jc\uFFFDd\uFFFD");

    [Theory]
    [InlineData("30s", 30)]
    [InlineData("10m", 600)]
    [InlineData("2h", 7200)]
    [InlineData("1d", 86400)]
    [InlineData("0s", null)]
    [InlineData("10", null)]
    [InlineData("-1m", null)]
    [InlineData("m", null)]
    [InlineData("99999999d", null)]
    public void A_time_is_a_number_and_a_unit(string text, int? seconds) => DeviceLogs.Duration(text).ShouldBe(seconds is { } number ? TimeSpan.FromSeconds(number) : null);

    [Fact]
    public void The_edge_api_is_beside_the_api_server_where_it_says_only_its_port()
    {
        EdgeAccess.AddressOf(new Dictionary<string, string> { ["port"] = "8043", ["url"] = "" }, new Uri("https://10.0.0.7:6443")).ShouldBe(new Uri("https://10.0.0.7:8043"));
        EdgeAccess.AddressOf(new Dictionary<string, string> { ["port"] = "", ["url"] = "https://fleet.example.com:8043" }, new Uri("https://10.0.0.7:6443")).Host.ShouldBe("fleet.example.com");
        Should.Throw<FailureException>(() => EdgeAccess.AddressOf(new Dictionary<string, string>(), new Uri("https://10.0.0.7:6443"))).Message.ShouldContain("--edge-api");
    }

    private static async Task<List<LogLine>> ReadAsync(string text)
    {
        var lines = new List<LogLine>();
        await foreach (var line in LogLines.ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), default))
            lines.Add(line);
        return lines;
    }
}
