using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.Tests.ApiServer.Definitions;

public sealed class BuiltInTests
{
    [Theory]
    [InlineData("Secret", """{"type":"kubernetes.io/tls"}""", "data[tls.crt]: Required value|data[tls.key]: Required value")]
    [InlineData("Secret", """{"type":"kubernetes.io/dockerconfigjson"}""", "data[.dockerconfigjson]: Required value")]
    [InlineData("Secret", """{"type":"kubernetes.io/basic-auth"}""", "data[%s][username]: Required value|data[%s][password]: Required value")]
    [InlineData("Secret", """{"data":{"..":"YQ=="}}""", "data[..]: Invalid value: \"..\": must not be '..'")]
    [InlineData("ConfigMap", """{"data":{"c":"x"},"binaryData":{"c":"YQ=="}}""", "data[c]: Invalid value: \"c\": duplicate of key present in binaryData")]
    [InlineData("Lease", """{"spec":{"leaseDurationSeconds":0}}""", "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0")]
    [InlineData("Event", """{"involvedObject":{"namespace":"foo"}}""", "involvedObject.namespace: Invalid value: \"foo\": does not match event.namespace")]
    [InlineData("Role", """{"rules":[{"verbs":["get"],"resources":["x"]}]}""", "rules[0].apiGroups: Required value: resource rules must supply at least one api group")]
    [InlineData("RoleBinding", """{}""", "roleRef.kind: Unsupported value: \"\": supported values: \"Role\", \"ClusterRole\"|roleRef.name: Required value")]
    [InlineData("Namespace", """{"spec":{"finalizers":["x"]}}""", "spec.finalizers: Invalid value: \"x\": name is neither a standard finalizer name nor is it fully qualified")]
    public void A_built_in_kind_has_rules_of_its_own(string kind, string body, string errors) =>
        string.Join('|', Errors(kind, body, null)).ShouldBe(errors);

    [Fact]
    public void A_secret_folds_its_texts_and_has_a_type()
    {
        var secret = Normalised("Secret", """{"data":{"a":"YQ=="},"stringData":{"a":"zz","b":""}}""");
        secret["data"]!.ToJsonString().ShouldBe("""{"a":"eno=","b":""}""");
        secret["type"]!.GetValue<string>().ShouldBe("Opaque");
        secret.ContainsKey("stringData").ShouldBeFalse();
    }

    [Fact]
    public void What_is_immutable_stays()
    {
        var old = (JsonObject)JsonNode.Parse("""{"metadata":{"name":"x","namespace":"default"},"immutable":true,"data":{"a":"YQ=="},"type":"Opaque"}""")!;
        Errors("Secret", """{"immutable":true,"data":{"a":"Yg=="},"type":"Opaque"}""", old).ShouldBe(["data: Forbidden: field is immutable when `immutable` is set"]);
        Errors("Secret", """{"data":{"a":"YQ=="},"type":"Opaque"}""", old).ShouldBe(["immutable: Forbidden: field is immutable when `immutable` is set"]);
        Errors("Secret", """{"immutable":true,"data":{"a":"YQ=="},"type":"x"}""", old).ShouldBe(["type: Invalid value: \"x\": field is immutable"]);
    }

    [Fact]
    public void A_secret_is_not_quoted_in_an_error() =>
        Errors("Secret", """{"type":"kubernetes.io/dockerconfigjson","stringData":{".dockerconfigjson":"hunter2"}}""", null).Single().ShouldNotContain("hunter2");

    [Fact]
    public void Events_are_the_same_under_both_names()
    {
        var core = Normalised("Event", """{"involvedObject":{"name":"p"},"message":"m","source":{"component":"c"},"count":3,"reason":"r","type":"Normal"}""");
        var other = Events.FromCore(core);
        other["regarding"]!["name"]!.GetValue<string>().ShouldBe("p");
        other["deprecatedCount"]!.GetValue<int>().ShouldBe(3);
        other["apiVersion"]!.GetValue<string>().ShouldBe("events.k8s.io/v1");
        JsonKinds.Same(Events.ToCore(other), core).ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"data":{"a":1}}""", "json: cannot unmarshal number into Go struct field ConfigMap.data.a of type string")]
    [InlineData("""{"data":"x"}""", "json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string")]
    [InlineData("""{"immutable":"x"}""", "json: cannot unmarshal string into Go struct field ConfigMap.immutable of type bool")]
    [InlineData("""{"binaryData":{"c":"!!"}}""", "illegal base64 data at input byte 0")]
    public void A_wrong_type_is_refused_while_decoding(string body, string problem)
    {
        var definition = Definition("ConfigMap");
        Decoding.Problem(definition, (JsonObject)JsonNode.Parse(body)!).ShouldBe("ConfigMap in version \"v1\" cannot be handled as a ConfigMap: " + problem);
    }

    [Fact]
    public void Nulls_are_zero_values()
    {
        var value = (JsonObject)JsonNode.Parse("""{"metadata":{"labels":null,"name":"a"},"data":{"a":null},"immutable":null}""")!;
        Definition("ConfigMap").Schema!.Default(value);
        value.ToJsonString().ShouldBe("""{"metadata":{"name":"a"},"data":{"a":""}}""");
    }

    [Fact]
    public void Of_a_schema_unknown_words_are_pruned_at_any_depth()
    {
        var crd = Golden.Widgets();
        crd["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"]!["tags"]!["items"]!["nonsense"] = 1;
        BuiltInResources.CustomResourceDefinition.Schema!.Prune(crd)
            .ShouldBe(["spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.tags.items.nonsense"]);
    }

    private static ResourceDefinition Definition(string kind) => BuiltInResources.All.First(each => each.Kind == kind && each.StoredAs is null);

    private static JsonObject Normalised(string kind, string body)
    {
        var definition = Definition(kind);
        var value = (JsonObject)JsonNode.Parse(body)!;
        value["apiVersion"] = definition.ApiVersion;
        value["kind"] = kind;
        value["metadata"] ??= new JsonObject { ["name"] = "x", ["namespace"] = definition.Namespaced ? "default" : null };
        definition.Schema!.Default(value);
        definition.Normalise?.Invoke(value, null);
        return value;
    }

    private static List<string> Errors(string kind, string body, JsonObject? old)
    {
        var definition = Definition(kind);
        var value = old is null ? Normalised(kind, body) : (JsonObject)JsonNode.Parse(body)!;
        value["metadata"] ??= old!["metadata"]!.DeepClone();
        return [.. definition.Check!(value, old).Select(error => error.ToString())];
    }
}
