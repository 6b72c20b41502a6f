using System.Text.Json.Nodes;
using Flotta.EdgeApi.Statuses;

namespace Flotta.Tests.EdgeApi;

public sealed class MergePatchTests
{
    [Theory]
    [InlineData("{}", "{}", null)]
    [InlineData("""{"a":1,"b":{"c":[1,2]}}""", """{"b":{"c":[1,2]},"a":1}""", null)]
    [InlineData("""{"a":1}""", """{"a":2}""", """{"a":2}""")]
    [InlineData("""{"a":1,"b":2}""", """{"b":2}""", """{"a":null}""")]
    [InlineData("""{"a":{"x":1,"y":2}}""", """{"a":{"y":2,"z":3}}""", """{"a":{"z":3,"x":null}}""")]
    [InlineData("""{"a":[1,2]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("{}", """{"a":{"x":1}}""", """{"a":{"x":1}}""")]
    public void It_says_only_what_differs(string before, string after, string? patch) =>
        MergePatch.Between(JsonNode.Parse(before)!.AsObject(), JsonNode.Parse(after)!.AsObject())?.ToJsonString().ShouldBe(patch);
}
