using System.Text;
using Flotta.Wire;

namespace Flotta.Tests.Wire;

public sealed class ReadingTests
{
    public static TheoryData<string> Ambiguous =>
    [
        """{"status":"up","status":"degraded"}""",
        """{"status":"up","Status":"degraded"}""",
        """{"STATUS":"up"}""",
        """{"workloads":[{"Name":"web"}]}""",
        """{"workloads":[null]}""",
        """{"hardware":{"interfaces":[{"ipv4_addresses":[null]}]}}""",
        """{"status":"up"} {}""",
        """{"status":"up"}x""",
        """{"status":7}""",
        """["up"]""",
        "\"up\"",
        "",
        "<html>busy</html>",
        """{"status":"\ud800"}""",
        """{"other":{"a":1,"a":2}}""",
        """{"other":1,"other":2}""",
        """{"other":{"a":[{"b":1,"b":2}]}}""",
    ];

    [Theory]
    [MemberData(nameof(Ambiguous))]
    public void What_can_be_read_in_two_ways_is_refused(string text) =>
        Should.Throw<WireFormatException>(() => Read(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Invalid_utf8_is_refused_even_where_nobody_looks() =>
        Should.Throw<WireFormatException>(() => Read([.. "{\"unknown\":\""u8, 0xff, .. "\"}"u8]));

    [Fact]
    public void Deep_nesting_is_refused() =>
        Should.Throw<WireFormatException>(() => Read(Encoding.UTF8.GetBytes("{\"other\":" + new string('[', 5000) + new string(']', 5000) + "}")));

    [Theory]
    [InlineData("""{"certificate":"a","certificate":"b"}""")]
    [InlineData("""{"deep":[{"x":{"a":1,"a":2}}]}""")]
    [InlineData("""[1,null]""")]
    public void The_content_of_a_message_is_looked_at_as_well(string content) => Should.Throw<WireFormatException>(() =>
        WireJson.Read(Encoding.UTF8.GetBytes($$"""{"type":"data","content":{{content}}}"""), WireJson.Types.Message));

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"workloads":null,"hardware":null,"events":null,"status":null}""")]
    [InlineData("""{"something":{"Status":[1,2]},"new":null}""")]
    public void Absent_null_and_unknown_members_are_no_trouble(string text)
    {
        var heartbeat = Read(Encoding.UTF8.GetBytes(text));
        heartbeat.Workloads.ShouldBeNull();
        heartbeat.Status.ShouldBeNull();
    }

    [Theory]
    [InlineData("2026-11-22T13:16:46.080742873Z", "2026-11-22T13:16:46.080Z")]
    [InlineData("2026-11-22T13:16:46Z", "2026-11-22T13:16:46.000Z")]
    [InlineData("2026-11-22T13:16:46.5+02:00", "2026-11-22T11:16:46.500Z")]
    [InlineData("2026-11-22T13:16:46+0200", "2026-11-22T11:16:46.000Z")]
    [InlineData("2026-11-22T13:16:46.123456", "2026-11-22T13:16:46.123Z")]
    [InlineData("2026-11-22 13:16:46", "2026-11-22T13:16:46.000Z")]
    [InlineData("0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z")]
    public void Times_are_read_in_every_form_that_the_original_accepts(string text, string expected)
    {
        var message = WireJson.Read(Encoding.UTF8.GetBytes($$"""{"sent":"{{text}}"}"""), WireJson.Types.Message);
        WireTime.Format(message.Sent!.Value).ShouldBe(expected);
    }

    [Theory]
    [InlineData("yesterday")]
    [InlineData("2026-13-45T00:00:00Z")]
    [InlineData("2026-11-22T13:16:46.1234567890123Z")]
    public void A_time_that_is_none_is_refused(string text) =>
        Should.Throw<WireFormatException>(() => WireJson.Read(Encoding.UTF8.GetBytes($$"""{"sent":"{{text}}"}"""), WireJson.Types.Message));

    [Fact]
    public void What_is_written_is_not_escaped_for_html_and_leaves_out_what_is_absent() =>
        Encoding.UTF8.GetString(WireJson.Write(new WorkloadStatus { Name = "web", Message = "a < b & \"c\" é" }, WireJson.Types.WorkloadStatus))
            .ShouldBe("""{"name":"web","message":"a < b & \"c\" é"}""");

    [Fact]
    public void Nothing_that_is_printed_by_accident_shows_a_secret()
    {
        new Secret("c2VjcmV0", "envs").ToString().ShouldNotContain("c2VjcmV0");
        new S3Storage { AwsSecretAccessKey = "c2VjcmV0" }.ToString().ShouldNotContain("c2VjcmV0");
        new ImageRegistries("c2VjcmV0").ToString().ShouldNotContain("c2VjcmV0");
        new Workload { Name = "w", Specification = "c2VjcmV0" }.ToString().ShouldNotContain("c2VjcmV0");
    }

    private static Heartbeat Read(byte[] utf8) => WireJson.Read(utf8, WireJson.Types.Heartbeat);
}
