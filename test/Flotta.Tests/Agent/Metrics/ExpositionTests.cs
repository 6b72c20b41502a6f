using System.Text;
using Flotta.Agent.Metrics;

namespace Flotta.Tests.Agent.Metrics;

public sealed class ExpositionTests
{
    private static readonly ScrapeLimits Small = new() { MostBytes = 4096, LongestLine = 512, MostSamples = 10 };

    [Theory]
    [InlineData("up 1", "__name__=up", 1.0)]
    [InlineData("  up\t1.5e3  ", "__name__=up", 1500.0)]
    [InlineData("a:b{} 2", "__name__=a:b", 2.0)]
    [InlineData("m{b=\"2\",a=\"1\",} 3", "__name__=m,a=1,b=2", 3.0)]
    [InlineData("m{a=\"x\\\"y\\\\z\\n\"} 4", "__name__=m,a=x\"y\\z\n", 4.0)]
    [InlineData("m{a=\"} 5\"} 6", "__name__=m,a=} 5", 6.0)]
    [InlineData("m{a=\"\"} 7", "__name__=m", 7.0)]
    [InlineData("m +Inf", "__name__=m", double.PositiveInfinity)]
    [InlineData("m -inf", "__name__=m", double.NegativeInfinity)]
    [InlineData("m NaN", "__name__=m", double.NaN)]
    public void A_sample_is_read(string line, string labels, double value)
    {
        var sample = ExpositionLine.Read(line, false, [], _ => true)!.Value;
        sample.Labels.ToString().ShouldBe(labels);
        sample.Value.ShouldBe(value);
        sample.Time.ShouldBeNull();
    }

    [Theory]
    [InlineData("# HELP up whether it is up")]
    [InlineData("")]
    [InlineData("   \r")]
    public void Comments_and_blank_lines_say_nothing(string line) => ExpositionLine.Read(line, false, [], _ => true).ShouldBeNull();

    [Theory]
    [InlineData("1up 1")]
    [InlineData("up")]
    [InlineData("up one")]
    [InlineData("up 0x10")]
    [InlineData("up 1 soon")]
    [InlineData("up{a=1} 1")]
    [InlineData("up{a=\"1} 1")]
    [InlineData("up{a=\"1\" b=\"2\"} 1")]
    [InlineData("up{a=\"1\",a=\"2\"} 1")]
    [InlineData("up{1a=\"1\"} 1")]
    [InlineData("up 1 99999999999999999999")]
    [InlineData("<html>")]
    public void What_is_no_sample_is_refused(string line) => Should.Throw<ExpositionException>(() => ExpositionLine.Read(line, false, [], _ => true));

    [Fact]
    public void Times_are_milliseconds_in_one_format_and_seconds_in_the_other()
    {
        ExpositionLine.Read("m 1 1700000000123", false, [], _ => true)!.Value.Time.ShouldBe(1700000000123);
        ExpositionLine.Read("m 1 1700000000.123", true, [], _ => true)!.Value.Time.ShouldBe(1700000000123);
    }

    [Fact]
    public void An_exemplar_is_passed_over() =>
        ExpositionLine.Read("m_bucket{le=\"1\"} 5 # {trace=\"a b\"} 0.5 1700000000", true, [], _ => true)!.Value.Value.ShouldBe(5);

    [Fact]
    public void Labels_of_the_target_stand_above_those_that_it_gives_itself() =>
        ExpositionLine.Read("m{metric_source=\"other\"} 1", false, [new("metric_source", "shop")], _ => true)!.Value.Labels.ToString().ShouldBe("__name__=m,metric_source=shop");

    [Fact]
    public async Task Only_what_is_wanted_is_kept()
    {
        var samples = await ReadAsync("a 1\nb{broken 2\nc 3\n", allowed: name => name != "b");
        samples.Select(sample => sample.Value).ShouldBe([1.0, 3.0]);
    }

    [Fact]
    public async Task A_last_line_without_an_end_counts_in_the_text_format() => (await ReadAsync("a 1\nb 2")).Count.ShouldBe(2);

    [Fact]
    public async Task OpenMetrics_that_was_cut_off_is_refused()
    {
        (await ReadAsync("a 1\n# EOF\n", openMetrics: true)).Count.ShouldBe(1);
        (await ReadAsync("a 1\n# EOF", openMetrics: true)).Count.ShouldBe(1);
        await Should.ThrowAsync<ExpositionException>(ReadAsync("a 1\n", openMetrics: true));
    }

    [Fact]
    public async Task Too_many_bytes_are_refused() => (await Should.ThrowAsync<ExpositionException>(ReadAsync(new string('\n', 5000)))).Message.ShouldContain("more than 4 KiB");

    [Fact]
    public async Task A_line_without_end_is_refused() => (await Should.ThrowAsync<ExpositionException>(ReadAsync(new string('a', 600)))).Message.ShouldContain("a line of more");

    [Fact]
    public async Task Too_many_samples_are_refused() =>
        (await Should.ThrowAsync<ExpositionException>(ReadAsync(string.Concat(Enumerable.Range(0, 11).Select(i => $"m{i} 1\n"))))).Message.ShouldContain("more than 10 samples");

    [Fact]
    public async Task Bytes_that_are_not_UTF8_are_refused()
    {
        using var stream = new MemoryStream([(byte)'m', (byte)'{', (byte)'a', (byte)'=', (byte)'"', 0xFF, (byte)'"', (byte)'}', (byte)' ', (byte)'1', (byte)'\n']);
        await Should.ThrowAsync<ExpositionException>(ExpositionReader.ReadAsync(stream, false, [], _ => true, Small, TestContext.Current.CancellationToken));
    }

    private static async Task<IReadOnlyList<Sample>> ReadAsync(string text, bool openMetrics = false, Func<string, bool>? allowed = null)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return await ExpositionReader.ReadAsync(stream, openMetrics, [], allowed ?? (_ => true), Small, TestContext.Current.CancellationToken);
    }
}
