using System.Text.Json.Nodes;
using CsCheck;
using Flotta.ApiServer.Definitions;

namespace Flotta.Tests.ApiServer.Definitions;

public sealed class StructuralSchemaTests
{
    private static readonly ResourceDefinition Widget = CustomResources.Parse(Golden.Widgets())[0];

    public static TheoryData<string> Specs => [.. Golden.Cases("widgets.cases.json").Select(each => each!.ToJsonString())];

    [Theory]
    [MemberData(nameof(Specs))]
    public void An_object_is_pruned_defaulted_and_judged_as_by_a_real_server(string text)
    {
        var golden = JsonNode.Parse(text)!;
        // Numbers are read as the server reads them.
        var body = (JsonObject)ObjectBody.ParseJson(System.Text.Encoding.UTF8.GetBytes(golden.ToJsonString())).Root!;
        var value = new JsonObject { ["apiVersion"] = "example.com/v1", ["kind"] = "Widget", ["metadata"] = new JsonObject { ["name"] = "w" }, ["spec"] = body["spec"]?.DeepClone() };
        Widget.Schema!.Prune(value);
        Widget.Schema.Default(value);
        var errors = Widget.Schema.Validate(value, null).Select(error => error.ToString()).Order(StringComparer.Ordinal).ToList();
        var expected = golden["errors"] is JsonArray list ? list.Select(each => each!.GetValue<string>()).Order(StringComparer.Ordinal).ToList() : [];
        errors.ShouldBe(expected);
        if (expected.Count == 0) JsonKinds.Same(value["spec"], golden["result"]).ShouldBeTrue(value.ToJsonString());
    }

    [Fact]
    public void Pruned_fields_are_told_with_their_paths()
    {
        var value = (JsonObject)JsonNode.Parse(
            """{"apiVersion":"x","kind":"Widget","x":1,"metadata":{"name":"w","bad":1},"spec":{"u":1,"ports":[{"port":1},{"q":2}],"free":{"z":1},"limits":{"a":1}}}""")!;
        Widget.Schema!.Prune(value).Order(StringComparer.Ordinal).ShouldBe(["metadata.bad", "spec.ports[1].q", "spec.u", "x"]);
    }

    [Fact]
    public void Pruning_and_defaulting_twice_is_like_once() => Documents.Sample(
        value =>
        {
            var once = (JsonObject)value.DeepClone();
            Widget.Schema!.Prune(once);
            Widget.Schema.Default(once);
            var twice = (JsonObject)once.DeepClone();
            var removed = Widget.Schema.Prune(twice);
            Widget.Schema.Default(twice);
            return removed.Count == 0 && JsonKinds.Same(once, twice);
        },
        iter: 2000);

    [Fact]
    public void Validation_bears_whatever_there_is() => Documents.Sample(value => Widget.Schema!.Validate(value, null).Count >= 0, iter: 2000);

    // Documents of the schema's words, in places where they belong and in others.
    private static readonly Gen<JsonObject> Documents = Values.Documents(
        "spec", "status", "color", "replicas", "tags", "ports", "port", "proto", "limits", "free", "tpl", "maybe", "maybed", "notnull", "nest", "a", "either", "mp", "unknown");

    [Fact]
    public void Patterns_are_read_as_re2_reads_them()
    {
        Matches("^[a-z]+$", "ab\n").ShouldBeFalse();
        Matches(@"^\d+$", "٣").ShouldBeFalse();
        Matches("^[[:alpha:]]+$", "abc").ShouldBeTrue();
        Matches("(?P<x>a)", "a").ShouldBeTrue();
        Matches("^[]a]+$", "]a").ShouldBeTrue();
        GoRegex.Compile("(", out _).ShouldBeNull();
        GoRegex.Compile("(?=a)", out var problem).ShouldBeNull();
        problem.ShouldNotBeNullOrEmpty();

        static bool Matches(string pattern, string text) => GoRegex.Compile(pattern, out _)!.IsMatch(text);
    }
}
