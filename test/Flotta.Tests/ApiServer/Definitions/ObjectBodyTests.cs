using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Flotta.ApiServer.Definitions;

namespace Flotta.Tests.ApiServer.Definitions;

public sealed class ObjectBodyTests
{
    [Fact]
    public void The_last_of_duplicate_keys_counts_and_they_are_told()
    {
        var body = ObjectBody.ParseJson("""{"a":{"b":1,"b":2},"l":[{"x":1,"x":2}]}"""u8);
        body.Root!["a"]!["b"]!.GetValue<long>().ShouldBe(2);
        body.Duplicates.ShouldBe(["duplicate field \"a.b\"", "duplicate field \"l[0].x\""]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}{}")]
    [InlineData("{\"a\":1e999}")]
    [InlineData("{'a':1}")]
    public void What_is_no_document_is_a_problem_not_a_crash(string text) => ObjectBody.ParseJson(Encoding.UTF8.GetBytes(text)).Problem.ShouldNotBeNullOrEmpty();

    [Fact]
    public void Depth_is_bounded()
    {
        ObjectBody.ParseJson(Encoding.UTF8.GetBytes(new string('[', 100_000))).Problem.ShouldNotBeNull();
        ObjectBody.ParseYaml(Encoding.UTF8.GetBytes(new string('[', 10_000))).Problem.ShouldNotBeNull();
    }

    [Fact]
    public void Any_bytes_are_borne() => Gen.Byte.Array[0, 200].Sample(
        bytes =>
        {
            ObjectBody.ParseJson(bytes);
            ObjectBody.ParseYaml(bytes);
        },
        iter: 3000);

    [Theory]
    [InlineData(":\r{\n>")]
    [InlineData("!!]")]
    public void Yaml_that_the_parser_trips_over_is_refused(string text) => ObjectBody.ParseYaml(Encoding.UTF8.GetBytes(text)).Problem.ShouldNotBeNull();

    [Fact]
    public void Yaml_is_read_like_json()
    {
        var body = ObjectBody.ParseYaml("a: 1\nb: [true, null, 'x', 1.5, 0x10]\nc:\n  d: |\n    text\n"u8);
        JsonKinds.Same(body.Root, JsonNode.Parse("""{"a":1,"b":[true,null,"x",1.5,16],"c":{"d":"text\n"}}""")).ShouldBeTrue();
        ObjectBody.ParseYaml("a: &x [1]\nb: *x\n"u8).Problem.ShouldNotBeNull();
    }
}
