using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Patching;

namespace Flotta.Tests.ApiServer.Patching;

public sealed class StrategicMergePatchTests
{
    [Theory]
    [InlineData("maps merge and null removes", "ConfigMap", """{"data":{"a":"1","b":"2"}}""", """{"data":{"a":null,"c":"3"}}""", """{"data":{"b":"2","c":"3"}}""")]
    [InlineData("a map is replaced", "ConfigMap", """{"data":{"a":"1"}}""", """{"data":{"$patch":"replace","c":"3"}}""", """{"data":{"c":"3"}}""")]
    [InlineData("a list of names is a set", "ConfigMap", """{"metadata":{"finalizers":["x/a","x/b"]}}""", """{"metadata":{"finalizers":["x/b","x/c"]}}""", """{"metadata":{"finalizers":["x/a","x/b","x/c"]}}""")]
    [InlineData("items leave a set", "ConfigMap", """{"metadata":{"finalizers":["x/a","x/b"]}}""", """{"metadata":{"$deleteFromPrimitiveList/finalizers":["x/a"]}}""", """{"metadata":{"finalizers":["x/b"]}}""")]
    [InlineData("a set is put in order", "ConfigMap", """{"metadata":{"finalizers":["x/a","x/b"]}}""", """{"metadata":{"$setElementOrder/finalizers":["x/c","x/b","x/a"],"finalizers":["x/c"]}}""", """{"metadata":{"finalizers":["x/c","x/b","x/a"]}}""")]
    [InlineData("items with a key merge", "ServiceAccount", """{"secrets":[{"name":"a","kind":"k"},{"name":"b"}]}""", """{"secrets":[{"name":"a","namespace":"n"},{"name":"c"}]}""", """{"secrets":[{"name":"a","kind":"k","namespace":"n"},{"name":"b"},{"name":"c"}]}""")]
    [InlineData("an item with a key goes", "ServiceAccount", """{"secrets":[{"name":"a"},{"name":"b"}]}""", """{"secrets":[{"$patch":"delete","name":"a"}]}""", """{"secrets":[{"name":"b"}]}""")]
    [InlineData("a keyed list is replaced", "ServiceAccount", """{"secrets":[{"name":"a"},{"name":"b"}]}""", """{"secrets":[{"$patch":"replace"},{"name":"z"}]}""", """{"secrets":[{"name":"z"}]}""")]
    [InlineData("keyed items are put in order", "ServiceAccount", """{"secrets":[{"name":"a"},{"name":"b"}]}""", """{"$setElementOrder/secrets":[{"name":"b"},{"name":"a"}],"secrets":[{"name":"a","kind":"k"}]}""", """{"secrets":[{"name":"b"},{"name":"a","kind":"k"}]}""")]
    [InlineData("an atomic list is replaced", "Role", """{"rules":[{"verbs":["a"]}]}""", """{"rules":[{"verbs":["b"]}]}""", """{"rules":[{"verbs":["b"]}]}""")]
    [InlineData("only the named keys stay", "ConfigMap", """{"data":{"a":"1","b":"2"}}""", """{"data":{"$retainKeys":["a"],"a":"9"}}""", """{"data":{"a":"9"}}""")]
    [InlineData("owners merge by uid", "ConfigMap", """{"metadata":{"ownerReferences":[{"uid":"1","name":"x"}]}}""", """{"metadata":{"ownerReferences":[{"uid":"2","name":"y"}]}}""", """{"metadata":{"ownerReferences":[{"uid":"1","name":"x"},{"uid":"2","name":"y"}]}}""")]
    public void Lists_and_maps_merge_as_their_kind_says(string rule, string kind, string document, string patch, string result)
    {
        var definition = BuiltInResources.All.First(each => each.Kind == kind);
        var patched = StrategicMergePatch.Apply((JsonObject)JsonNode.Parse(document)!, (JsonObject)JsonNode.Parse(patch)!, definition);
        JsonKinds.Same(patched, JsonNode.Parse(result)).ShouldBeTrue($"{rule}: {patched.ToJsonString()}");
    }

    [Theory]
    [InlineData("""{"secrets":[{"kind":"no key"}]}""")]
    [InlineData("""{"secrets":["a"]}""")]
    [InlineData("""{"metadata":{"$patch":"frob"}}""")]
    public void A_malformed_patch_is_refused(string patch)
    {
        var definition = BuiltInResources.All.First(each => each.Kind == "ServiceAccount");
        Should.Throw<PatchException>(() => StrategicMergePatch.Apply((JsonObject)JsonNode.Parse("""{"metadata":{}}""")!, (JsonObject)JsonNode.Parse(patch)!, definition)).Code.ShouldBe(400);
    }
}
