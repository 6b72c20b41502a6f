using System.Text.Json.Nodes;
using CsCheck;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Patching;
using Flotta.Tests.ApiServer.Definitions;

namespace Flotta.Tests.ApiServer.Patching;

public sealed class PatchTests
{
    private static readonly Gen<JsonNode?> Any = Values.Any("a", "b", "c", "d");

    // RFC 7386, appendix A.
    [Theory]
    [InlineData("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"a":null}""", """{}""")]
    [InlineData("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [InlineData("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"c"}""", """{"a":["b"]}""", """{"a":["b"]}""")]
    [InlineData("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [InlineData("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""["a","b"]""", """["c","d"]""", """["c","d"]""")]
    [InlineData("""{"a":"b"}""", """["c"]""", """["c"]""")]
    [InlineData("""{"a":"foo"}""", "null", "null")]
    [InlineData("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [InlineData("""[1,2]""", """{"a":"b","c":null}""", """{"a":"b"}""")]
    [InlineData("""{}""", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    public void A_merge_patch_does_what_its_rfc_says(string target, string patch, string result) =>
        JsonKinds.Same(MergePatch.Apply(JsonNode.Parse(target), JsonNode.Parse(patch)), JsonNode.Parse(result)).ShouldBeTrue();

    [Fact]
    public void A_merge_patch_twice_is_like_once_and_changes_nothing_that_it_was_given() => Gen.Select(Any, Any).Sample(
        (target, patch) =>
        {
            var (before, asked) = (target?.DeepClone(), patch?.DeepClone());
            var once = MergePatch.Apply(target, patch);
            return JsonKinds.Same(MergePatch.Apply(once, patch), once) && JsonKinds.Same(before, target) && JsonKinds.Same(asked, patch);
        },
        iter: 3000);

    public static TheoryData<string> Rfc6902 =>
        [.. ((JsonArray)JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "test/Flotta.Tests/ApiServer/Patching/Golden/rfc6902.json")))!).Select(each => each!.ToJsonString())];

    [Theory]
    [MemberData(nameof(Rfc6902))]
    public void A_json_patch_does_what_its_rfc_says(string text)
    {
        var example = JsonNode.Parse(text)!;
        if (example["result"] is { } result)
        {
            var patched = JsonPatch.Apply(example["doc"], example["patch"]);
            JsonKinds.Same(patched, result).ShouldBeTrue(patched?.ToJsonString());
        }
        else
        {
            Should.Throw<PatchException>(() => JsonPatch.Apply(example["doc"], example["patch"]));
        }
    }

    [Fact]
    public void Operations_are_counted()
    {
        var patch = new JsonArray([.. Enumerable.Range(0, JsonPatch.MaxOperations + 1).Select(_ => (JsonNode)new JsonObject { ["op"] = "add", ["path"] = "/a", ["value"] = 1 })]);
        Should.Throw<PatchException>(() => JsonPatch.Apply(new JsonObject(), patch)).Code.ShouldBe(413);
    }

    [Fact]
    public void Copies_cannot_grow_without_bound()
    {
        var patch = new JsonArray([.. Enumerable.Range(0, 60).Select(i => (JsonNode)new JsonObject { ["op"] = "copy", ["from"] = "", ["path"] = "/x" + i })]);
        Should.Throw<PatchException>(() => JsonPatch.Apply(new JsonObject { ["a"] = new string('x', 100) }, patch)).Code.ShouldBe(413);
    }

    [Fact]
    public void Whatever_the_patch_it_is_applied_or_refused() => Gen.Select(Any, Values.Any("op", "path", "from", "value", "a")).Sample(
        (target, patch) =>
        {
            try
            {
                JsonPatch.Apply(target, patch);
            }
            catch (PatchException)
            {
            }
        },
        iter: 3000);
}
