using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.Tests.ApiServer.Definitions;

public sealed class ObjectMetadataTests
{
    private static readonly ResourceDefinition ConfigMap = BuiltInResources.All.First(each => each.Kind == "ConfigMap");

    [Theory]
    [InlineData("""{}""", "metadata.name: Required value: name or generateName is required")]
    [InlineData("""{"name":"a","labels":{"/a":"x"}}""", "metadata.labels: Invalid value: \"/a\": prefix part must be non-empty")]
    [InlineData("""{"name":"a","annotations":{"FOO.com/Bar":"x"}}""", null)]
    [InlineData("""{"name":"a","generation":-1}""", "metadata.generation: Invalid value: -1: must be greater than or equal to 0")]
    [InlineData("""{"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"A","name":"x"}]}""", "metadata.ownerReferences.uid: Invalid value: \"\": uid must not be empty")]
    public void Metadata_is_judged_as_by_a_real_server(string metadata, string? error) =>
        Errors(metadata).ShouldBe(error is null ? [] : [error]);

    [Fact]
    public void Long_values_are_refused()
    {
        Errors($$$"""{"name":"{{{new string('x', 254)}}}"}""").Single().ShouldEndWith("must be no more than 253 characters");
        Errors($$$"""{"name":"a","labels":{"a":"{{{new string('x', 64)}}}"}}""").Single().ShouldEndWith("must be no more than 63 characters");
        Errors($$$"""{"name":"a","labels":{"{{{new string('x', 64)}}}":""}}""").Single().ShouldEndWith("name part must be no more than 63 characters");
        Errors($$$"""{"name":"a","annotations":{"a":"{{{new string('x', 256 * 1024)}}}"}}""").Single().ShouldStartWith("metadata.annotations: Too long");
    }

    [Fact]
    public void Identity_does_not_change_and_nothing_holds_back_what_is_being_deleted()
    {
        var old = (JsonObject)JsonNode.Parse("""{"metadata":{"name":"a","namespace":"d","uid":"1","resourceVersion":"1","deletionTimestamp":"2020-01-01T00:00:00Z","finalizers":["x/y"]}}""")!;
        var value = (JsonObject)old.DeepClone();
        value["metadata"]!["uid"] = "2";
        value["metadata"]!["finalizers"] = new JsonArray("x/y", "x/z");
        ObjectMetadata.Validate(ConfigMap, value, old).Select(error => error.ToString()).ShouldBe(
        [
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"x/z\"}",
            "metadata.uid: Invalid value: \"2\": field is immutable",
        ]);
    }

    [Fact]
    public void Generated_names_are_names()
    {
        var name = ObjectMetadata.Generate(new string('a', 80));
        name.Length.ShouldBe(63);
        ObjectNames.CheckDnsSubdomain(name).ShouldBeEmpty();
        ObjectMetadata.Generate("x-").ShouldNotBe(ObjectMetadata.Generate("x-"));
    }

    private static List<string> Errors(string metadata)
    {
        var value = new JsonObject { ["metadata"] = JsonNode.Parse(metadata) };
        value["metadata"]!["namespace"] = "default";
        return [.. ObjectMetadata.Validate(ConfigMap, value, null).Select(error => error.ToString())];
    }
}
