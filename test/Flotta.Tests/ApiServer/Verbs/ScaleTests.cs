using System.Text.Json.Nodes;

namespace Flotta.Tests.ApiServer.Verbs;

[Collection("api server")]
public sealed class ScaleTests(RunningApiServer server)
{
    [Fact]
    public async Task Scale_shows_and_changes_the_fields_that_the_definition_names()
    {
        var at = await ScaledAsync(""","spec":{"replicas":2}""");
        (await server.SendAsync(HttpMethod.Patch, at + "/status", """{"status":{"ready":1,"selector":"a=b"}}""", "application/merge-patch+json")).Code.ShouldBe(200);
        var seen = await server.GetAsync(at + "/scale");
        ((string?)seen.Body["apiVersion"]).ShouldBe("autoscaling/v1");
        seen.Body["spec"]!.ToJsonString().ShouldBe("""{"replicas":2}""");
        seen.Body["status"]!.ToJsonString().ShouldBe("""{"replicas":1,"selector":"a=b"}""");

        var put = await server.PutAsync(at + "/scale", $$$"""{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"a","resourceVersion":"{{{seen.Version}}}"},"spec":{"replicas":5}}""");
        put.Code.ShouldBe(200, put.Body.ToJsonString());
        (await server.PutAsync(at + "/scale", $$$"""{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"a","resourceVersion":"{{{seen.Version}}}"},"spec":{"replicas":6}}""")).Code.ShouldBe(409);
        ((int)(await server.GetAsync(at)).Body["spec"]!["replicas"]!).ShouldBe(5);

        var patched = await server.MergeAsync(at + "/scale?dryRun=All", """{"spec":{"replicas":7}}""");
        ((int)patched.Body["spec"]!["replicas"]!).ShouldBe(7);
        ((int)(await server.GetAsync(at)).Body["spec"]!["replicas"]!).ShouldBe(5);
        (await server.MergeAsync(at + "/scale", """{"spec":{"replicas":7}}""")).Code.ShouldBe(200);
        var applied = await server.SendAsync(
            HttpMethod.Patch, at + "/scale?fieldManager=me", """{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"a"},"spec":{"replicas":8}}""", "application/apply-patch+yaml");
        applied.Code.ShouldBe(409);
        applied.Message.ShouldContain(".spec.replicas");
        var whole = (await server.GetAsync(at)).Body;
        ((int)whole["spec"]!["replicas"]!).ShouldBe(7);
        whole["metadata"]!["managedFields"]!.AsArray().Select(entry => (string?)entry!["subresource"]).ShouldContain("scale");
    }

    [Fact]
    public async Task A_scale_that_cannot_be_is_refused()
    {
        var at = await ScaledAsync("");
        var absent = await server.GetAsync(at + "/scale");
        absent.Code.ShouldBe(500);
        absent.Message.ShouldBe("Internal error occurred: the spec replicas field \".spec.replicas\" does not exist");
        var negative = await server.MergeAsync(at + "/scale", """{"spec":{"replicas":-1}}""");
        negative.Code.ShouldBe(422);
        negative.Message.ShouldEndWith("\"a\" is invalid: .spec.replicas: Invalid value: -1: should be a non-negative integer");
        (await server.MergeAsync(at + "/scale", """{"spec":{"replicas":"many"}}""")).Code.ShouldBe(400);
        (await server.SendAsync(HttpMethod.Patch, at + "/scale", "{}", "application/strategic-merge-patch+json")).Code.ShouldBe(415);
        (await server.DeleteAsync(at + "/scale")).Code.ShouldBe(405);
    }

    private async Task<string> ScaledAsync(string rest)
    {
        var (space, group) = (await server.NamespaceAsync(), await server.DefineAsync());
        var crd = (await server.GetAsync($"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}")).Body;
        var version = crd["spec"]!["versions"]![0]!;
        version["subresources"]!["scale"] = JsonNode.Parse("""{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.ready","labelSelectorPath":".status.selector"}""");
        version["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"]!["replicas"] = JsonNode.Parse("""{"type":"integer"}""");
        version["schema"]!["openAPIV3Schema"]!["properties"]!["status"]!["properties"] = JsonNode.Parse("""{"ready":{"type":"integer"},"selector":{"type":"string"}}""");
        (await server.PutAsync($"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}", crd.ToJsonString())).Code.ShouldBe(200);
        var made = await server.PostAsync($"/apis/{group}/v1/namespaces/{space}/things", RunningApiServer.Thing(group, "a", rest));
        made.Code.ShouldBe(201, made.Body.ToJsonString());
        return $"/apis/{group}/v1/namespaces/{space}/things/a";
    }
}
