using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Tables;
using Flotta.Tests.ApiServer.Definitions;

namespace Flotta.Tests.ApiServer.Tables;

public sealed class TableTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly ResourceDefinition Widget = CustomResources.Parse(Golden.Widgets())[0];

    [Fact]
    public void Cells_are_found_by_their_paths()
    {
        var item = (JsonObject)JsonNode.Parse(
            """
            {"metadata":{"name":"w","creationTimestamp":"2025-12-31T23:55:00Z"},"spec":{"color":"red","replicas":3},
             "status":{"since":"nonsense","conditions":[{"type":"A","status":"False"},{"type":"Ready","status":"True"}]}}
            """)!;
        Row(Widget, item).ShouldBe("""["w","red","\u003Cinvalid\u003E",3,"True","False","5m"]""");
        Row(Widget, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "w" } }).ShouldBe("""["w",null,null,null,null,null,null]""");
    }

    [Fact]
    public void Without_columns_of_its_own_a_kind_has_name_and_age()
    {
        var item = (JsonObject)JsonNode.Parse("""{"metadata":{"name":"w","creationTimestamp":"2025-12-31T00:00:00Z"}}""")!;
        var plain = Widget with { PrinterColumns = [] };
        Row(plain, item).ShouldBe("""["w","24h"]""");
        Table.Render(plain, [item], [], IncludeObject.Metadata, true, "v1", Now)["columnDefinitions"]!.AsArray().Select(each => each!["name"]!.GetValue<string>()).ShouldBe(["Name", "Age"]);
    }

    [Fact]
    public void A_row_carries_what_was_asked_for()
    {
        var item = (JsonObject)JsonNode.Parse("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1"}}""")!;
        Object(IncludeObject.None).ShouldBeNull();
        Object(IncludeObject.Object)!["data"].ShouldNotBeNull();
        Object(IncludeObject.Metadata)!["kind"]!.GetValue<string>().ShouldBe("PartialObjectMetadata");
        Object(IncludeObject.Metadata)!.AsObject().ContainsKey("data").ShouldBeFalse();

        JsonNode? Object(IncludeObject include) => Table.Render(BuiltIn("ConfigMap"), [item], [], include, true, "v1", Now)["rows"]![0]!["object"];
    }

    [Theory]
    [InlineData("Secret", """{"metadata":{"name":"s"},"type":"Opaque","data":{"a":"","b":""}}""", """["s","Opaque",2,"<unknown>"]""")]
    [InlineData("ConfigMap", """{"metadata":{"name":"c"},"data":{"a":"1"},"binaryData":{"z":""}}""", """["c",2,"<unknown>"]""")]
    [InlineData("Lease", """{"metadata":{"name":"l"},"spec":{"holderIdentity":"me"}}""", """["l","me","<unknown>"]""")]
    [InlineData("Namespace", """{"metadata":{"name":"n"},"status":{"phase":"Active"}}""", """["n","Active","<unknown>"]""")]
    [InlineData("CustomResourceDefinition", """{"metadata":{"name":"x","creationTimestamp":"2026-01-01T00:00:00Z"}}""", """["x","2026-01-01T00:00:00Z"]""")]
    [InlineData("RoleBinding", """{"metadata":{"name":"rb"},"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"User","name":"u"},{"kind":"ServiceAccount","name":"s","namespace":"n"}]}""", """["rb","Role/r","<unknown>","u","","n/s"]""")]
    [InlineData("Event", """{"metadata":{"name":"e"},"involvedObject":{"kind":"Pod","name":"p"},"reason":"R","message":"M\n","type":"Normal","source":{"component":"c","host":"h"},"lastTimestamp":"2025-12-31T23:59:00Z","firstTimestamp":"2025-12-31T23:00:00Z","count":3}""", """["60s","Normal","R","pod/p","","c, h","M","60m",3,"e"]""")]
    public void Built_in_kinds_have_kubectls_columns(string kind, string item, string cells)
    {
        var row = Table.Render(BuiltIn(kind), [(JsonObject)JsonNode.Parse(item)!], [], IncludeObject.None, true, "v1", Now);
        JsonKinds.Same(row["rows"]![0]!["cells"], JsonNode.Parse(cells)).ShouldBeTrue(row["rows"]![0]!["cells"]!.ToJsonString());
        row["columnDefinitions"]!.AsArray().Count.ShouldBe(row["rows"]![0]!["cells"]!.AsArray().Count);
    }

    [Theory]
    [InlineData(-5, "<invalid>")]
    [InlineData(-1, "0s")]
    [InlineData(119, "119s")]
    [InlineData(120, "2m")]
    [InlineData(125, "2m5s")]
    [InlineData(60 * 60, "60m")]
    [InlineData(60 * 60 * 3, "3h")]
    [InlineData((60 * 60 * 3) + 60, "3h1m")]
    [InlineData(60 * 60 * 24, "24h")]
    [InlineData(60 * 60 * 50, "2d2h")]
    [InlineData(60L * 60 * 24 * 400, "400d")]
    [InlineData(60L * 60 * 24 * 365 * 3, "3y")]
    [InlineData(60L * 60 * 24 * 365 * 9, "9y")]
    public void Ages_are_short(long seconds, string age) => Age.Since(TimeSpan.FromSeconds(seconds)).ShouldBe(age);

    [Theory]
    [InlineData(".a.b", "1")]
    [InlineData(".a['x/y']", "2")]
    [InlineData(".a.x\\.z", "3")]
    [InlineData(".l[0].n", "\"p\"")]
    [InlineData(".l[-1].n", "\"q\"")]
    [InlineData(".l[*].n", "\"p\"|\"q\"")]
    [InlineData(".l[?(@.n==\"q\")].v", "5")]
    [InlineData(".l[?(@.v>4)].n", "\"q\"")]
    [InlineData(".l[0:1].n", "\"p\"")]
    [InlineData(".none.b", "")]
    public void Paths_lead_to_values(string path, string values)
    {
        var root = JsonNode.Parse("""{"a":{"b":1,"x/y":2,"x.z":3},"l":[{"n":"p","v":4},{"n":"q","v":5}]}""");
        string.Join('|', JsonPath.Compile(path)!.Find(root).Select(node => node!.ToJsonString())).ShouldBe(values);
    }

    [Theory]
    [InlineData(".a[?(@.b==")]
    [InlineData(".a[")]
    [InlineData(".a[x]")]
    public void A_broken_path_is_none(string path) => JsonPath.Compile(path).ShouldBeNull();

    private static ResourceDefinition BuiltIn(string kind) => BuiltInResources.All.First(each => each.Kind == kind);

    private static string Row(ResourceDefinition definition, JsonObject item) =>
        Table.Render(definition, [item], [], IncludeObject.None, true, "v1", Now)["rows"]![0]!["cells"]!.ToJsonString();
}
