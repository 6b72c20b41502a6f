namespace Flotta.Tests.ApiServer.Discovery;

[Collection("api server")]
public sealed class DiscoveryTests(RunningApiServer server)
{
    [Fact]
    public async Task A_defined_kind_is_found_in_every_document()
    {
        var group = await server.DefineAsync();
        (await server.GetAsync("/apis")).Body["groups"]!.AsArray().Select(one => (string?)one!["name"]).ShouldContain(group);
        ((string?)(await server.GetAsync($"/apis/{group}")).Body["preferredVersion"]!["version"]).ShouldBe("v1");
        var resources = (await server.GetAsync($"/apis/{group}/v1")).Body["resources"]!.AsArray();
        resources.Select(one => (string?)one!["name"]).ShouldBe(["things", "things/status"]);
        resources[0]!["shortNames"]!.ToJsonString().ShouldBe("""["th"]""");
        (await server.GetAsync("/openapi/v3")).Body["paths"]!.AsObject().ShouldContainKey($"apis/{group}/v1");
        (await server.GetAsync($"/openapi/v3/apis/{group}/v1")).Body["components"].ShouldNotBeNull();
        (await server.GetAsync("/openapi/v2")).Body["definitions"].ShouldNotBeNull();
    }

    [Theory]
    [InlineData("GET", "/apis/nowhere.example.com")]
    [InlineData("GET", "/apis/nowhere.example.com/v1")]
    [InlineData("GET", "/apis/nowhere.example.com/v1/things")]
    [InlineData("GET", "/api/v2")]
    [InlineData("GET", "/api/v1/pods")]
    [InlineData("GET", "/api/v1/namespaces/default/namespaces")]
    [InlineData("GET", "/api/v1/configmaps/a")]
    [InlineData("GET", "/api/v1/namespaces/default/configmaps/a/status")]
    [InlineData("GET", "/api/v1/namespaces/default/configmaps/a/b/c")]
    [InlineData("GET", "/elsewhere")]
    [InlineData("GET", "/api/v1//configmaps")]
    public async Task What_is_not_served_is_not_found(string method, string path)
    {
        var reply = await server.SendAsync(new HttpMethod(method), path);
        reply.Code.ShouldBe(404);
        reply.Message.ShouldBe("the server could not find the requested resource");
    }

    [Theory]
    [InlineData("POST", "/api/v1/configmaps")]
    [InlineData("PUT", "/api/v1/namespaces/default/configmaps")]
    [InlineData("POST", "/api/v1/namespaces/default/configmaps/a")]
    [InlineData("DELETE", "/api/v1/namespaces")]
    [InlineData("POST", "/apis")]
    [InlineData("TRACE", "/api/v1/namespaces/default/configmaps")]
    public async Task What_is_not_allowed_is_told(string method, string path)
    {
        var reply = await server.SendAsync(new HttpMethod(method), path);
        reply.Code.ShouldBe(405);
        reply.Reason.ShouldBe("MethodNotAllowed");
    }

    [Fact]
    public async Task A_kind_that_is_in_use_is_not_taken_twice()
    {
        var group = await server.DefineAsync();
        var made = await server.PostAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", $$$$$$$"""
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"others.{{{{{{{group}}}}}}}"},
             "spec":{"group":"{{{{{{{group}}}}}}}","scope":"Namespaced","names":{"plural":"others","kind":"Thing"},
              "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}
            """);
        made.Code.ShouldBe(201);
        made.Body["status"]!["conditions"]!.AsArray().Single(one => (string?)one!["type"] == "NamesAccepted")!["status"]!.GetValue<string>().ShouldBe("False");
        (await server.GetAsync($"/apis/{group}/v1/others")).Code.ShouldBe(404);
    }

    [Fact]
    public async Task Objects_are_read_in_every_version_that_is_served()
    {
        var group = await server.DefineAsync();
        var space = await server.NamespaceAsync();
        await server.PostAsync($"/apis/{group}/v1/namespaces/{space}/things", RunningApiServer.Thing(group, "a"));
        var changed = await server.SendAsync(
            HttpMethod.Patch, $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}",
            """[{"op":"copy","from":"/spec/versions/0","path":"/spec/versions/1"},{"op":"replace","path":"/spec/versions/1/name","value":"v2"},{"op":"replace","path":"/spec/versions/1/storage","value":false}]""",
            "application/json-patch+json");
        changed.Code.ShouldBe(200, changed.Body.ToJsonString());
        var other = $"/apis/{group}/v2/namespaces/{space}/things";
        ((string?)(await server.GetAsync(other + "/a")).Body["apiVersion"]).ShouldBe(group + "/v2");
        ((string?)(await server.MergeAsync(other + "/a", """{"spec":{"size":7}}""")).Body["apiVersion"]).ShouldBe(group + "/v2");
        var first = (await server.GetAsync($"/apis/{group}/v1/namespaces/{space}/things")).Body["items"]![0]!;
        ((string?)first["apiVersion"]).ShouldBe(group + "/v1");
        ((int)first["spec"]!["size"]!).ShouldBe(7);
        ((string?)(await server.GetAsync($"/apis/{group}")).Body["preferredVersion"]!["version"]).ShouldBe("v2");
    }
}
