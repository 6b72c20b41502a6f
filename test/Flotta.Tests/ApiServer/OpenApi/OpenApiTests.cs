using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.OpenApi;
using Flotta.Tests.ApiServer.Definitions;

namespace Flotta.Tests.ApiServer.OpenApi;

public sealed class OpenApiTests
{
    private static readonly IReadOnlyList<ResourceDefinition> Everything = [.. BuiltInResources.All, .. CustomResources.Parse(Golden.Widgets())];

    [Fact]
    public void Every_reference_leads_to_a_model()
    {
        var v2 = OpenApiDocuments.V2(Everything);
        References(v2).Where(name => v2["definitions"]![name["#/definitions/".Length..]] is null).ShouldBeEmpty();
        foreach (var group in Everything.GroupBy(each => each.ApiVersion))
        {
            var v3 = OpenApiDocuments.V3([.. group]);
            References(v3).Where(name => v3["components"]!["schemas"]![name["#/components/schemas/".Length..]] is null).ShouldBeEmpty();
        }
    }

    [Fact]
    public void Patch_says_that_fields_are_validated()
    {
        var patch = OpenApiDocuments.V3(CustomResources.Parse(Golden.Widgets()))["paths"]!["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"]!["patch"]!;
        patch["parameters"]!.Objects().Select(each => each["name"]!.GetValue<string>()).ShouldContain("fieldValidation");
        patch["x-kubernetes-group-version-kind"]!.ToJsonString().ShouldBe("""{"group":"example.com","kind":"Widget","version":"v1"}""");
    }

    [Fact]
    public void The_second_version_leaves_out_what_it_has_no_words_for()
    {
        var spec = OpenApiDocuments.V2(CustomResources.Parse(Golden.Widgets()))["definitions"]!["com.example.v1.Widget"]!["properties"]!["spec"]!["properties"]!;
        spec["either"]!.AsObject().ContainsKey("oneOf").ShouldBeFalse();
        spec["maybe"]!.AsObject().ContainsKey("type").ShouldBeFalse();
        spec["free"]!.AsObject().ContainsKey("type").ShouldBeFalse();
        spec["color"]!["enum"]!.Texts().ShouldBe(["red", "green"]);
    }

    [Fact]
    public void The_protobuf_form_begins_with_the_version() =>
        OpenApiDocuments.V2Protobuf(Everything).AsSpan(0, 5).ToArray().ShouldBe(new byte[] { 0x0a, 0x03, (byte)'2', (byte)'.', (byte)'0' });

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(pair => pair.Key == "$ref" && pair.Value is JsonValue ? [pair.Value!.GetValue<string>()] : References(pair.Value)),
        JsonArray list => list.SelectMany(References),
        _ => [],
    };
}
