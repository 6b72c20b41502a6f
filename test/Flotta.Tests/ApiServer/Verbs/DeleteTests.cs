using System.Net;
using System.Text;

namespace Flotta.Tests.ApiServer.Verbs;

[Collection("api server")]
public sealed class DeleteTests(RunningApiServer server)
{
    [Fact]
    public async Task What_nothing_holds_is_gone_at_once()
    {
        var path = await ConfigMapAsync("");
        var uid = (string?)(await server.GetAsync(path)).Body["metadata"]!["uid"];
        var gone = await server.DeleteAsync(path);
        gone.Code.ShouldBe(200);
        ((string?)gone.Body["status"]).ShouldBe("Success");
        ((string?)gone.Body["details"]!["uid"]).ShouldBe(uid);
        (await server.GetAsync(path)).Code.ShouldBe(404);
        (await server.DeleteAsync(path)).Code.ShouldBe(404);
    }

    [Fact]
    public async Task A_finalizer_holds_an_object_until_it_is_taken_away()
    {
        var path = await ConfigMapAsync(""","finalizers":["example.com/a","example.com/b"]""");
        var marked = await server.DeleteAsync(path);
        marked.Body["metadata"]!["deletionTimestamp"].ShouldNotBeNull();
        var version = (await server.GetAsync(path)).Version;
        (await server.DeleteAsync(path)).Code.ShouldBe(200);
        (await server.GetAsync(path)).Version.ShouldBe(version);
        (await server.MergeAsync(path, """{"metadata":{"finalizers":["example.com/a","example.com/b","example.com/c"]}}""")).Code.ShouldBe(422);
        (await server.MergeAsync(path, """{"metadata":{"finalizers":["example.com/b"]}}""")).Code.ShouldBe(200);
        (await server.GetAsync(path)).Code.ShouldBe(200);
        (await server.MergeAsync(path, """{"metadata":{"finalizers":null}}""")).Code.ShouldBe(200);
        (await server.GetAsync(path)).Code.ShouldBe(404);
    }

    [Fact]
    public async Task Preconditions_are_kept()
    {
        var path = await ConfigMapAsync("");
        var seen = await server.GetAsync(path);
        var wrong = await server.DeleteAsync(path, """{"preconditions":{"uid":"other"}}""");
        wrong.Code.ShouldBe(409);
        wrong.Message.ShouldContain("Precondition failed: UID in precondition: other, UID in object meta: ");
        (await server.DeleteAsync(path, """{"preconditions":{"resourceVersion":"1"}}""")).Code.ShouldBe(409);
        (await server.DeleteAsync(path, $$$"""{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"resourceVersion":"{{{seen.Version}}}"}}""")).Code.ShouldBe(200);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_body_is_read_also_when_nothing_says_how_long_it_is(string version)
    {
        var path = await ConfigMapAsync("");
        (await SendAsync("""{"preconditions":{"uid":"other"}}""")).ShouldBe(409);
        (await SendAsync("""{"dryRun":["All"]}""")).ShouldBe(200);
        (await server.GetAsync(path)).Code.ShouldBe(200);
        (await SendAsync("")).ShouldBe(200);
        (await server.GetAsync(path)).Code.ShouldBe(404);

        async Task<int> SendAsync(string body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(server.Server.Address, path)) { Version = Version.Parse(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            request.Content = new UnmeasuredContent(body);
            using var response = await server.Http.SendAsync(request);
            return (int)response.StatusCode;
        }
    }

    [Fact]
    public async Task A_dry_run_deletes_nothing()
    {
        var path = await ConfigMapAsync("");
        (await server.DeleteAsync(path + "?dryRun=All")).Code.ShouldBe(200);
        (await server.DeleteAsync(path, """{"dryRun":["All"]}""")).Code.ShouldBe(200);
        (await server.GetAsync(path)).Code.ShouldBe(200);
    }

    [Fact]
    public async Task A_collection_is_deleted_by_selector()
    {
        var space = await server.NamespaceAsync();
        foreach (var (name, label) in new[] { ("a", "x"), ("b", "y"), ("c", "x") })
            await server.PostAsync($"/api/v1/namespaces/{space}/configmaps", $$$$"""{"metadata":{"name":"{{{{name}}}}","labels":{"l":"{{{{label}}}}"}}}""");
        var gone = await server.DeleteAsync($"/api/v1/namespaces/{space}/configmaps?labelSelector=l%3Dx");
        gone.Body["items"]!.AsArray().Count.ShouldBe(2);
        (await server.GetAsync($"/api/v1/namespaces/{space}/configmaps")).Body["items"]!.AsArray().Select(one => (string?)one!["metadata"]!["name"]).ShouldBe(["b"]);
    }

    [Fact]
    public async Task A_namespace_goes_after_everything_in_it()
    {
        var (space, group) = (await server.NamespaceAsync(), await server.DefineAsync());
        var thing = $"/apis/{group}/v1/namespaces/{space}/things";
        await server.PostAsync($"/api/v1/namespaces/{space}/configmaps", """{"metadata":{"name":"a"}}""");
        await server.PostAsync(thing, RunningApiServer.Thing(group, "held").Replace("\"name\"", "\"finalizers\":[\"example.com/x\"],\"name\"", StringComparison.Ordinal));
        var going = await server.DeleteAsync($"/api/v1/namespaces/{space}");
        ((string?)going.Body["status"]!["phase"]).ShouldBe("Terminating");
        await Eventually.True(async () => (await server.GetAsync($"/api/v1/namespaces/{space}/configmaps/a")).Code == 404);
        (await server.GetAsync($"/api/v1/namespaces/{space}")).Code.ShouldBe(200);
        var refused = await server.PostAsync($"/api/v1/namespaces/{space}/configmaps", """{"metadata":{"name":"b"}}""");
        refused.Code.ShouldBe(403);
        refused.Message.ShouldBe($"configmaps \"b\" is forbidden: unable to create new content in namespace {space} because it is being terminated");
        (await server.MergeAsync(thing + "/held", """{"metadata":{"finalizers":null}}""")).Code.ShouldBe(200);
        await Eventually.True(async () => (await server.GetAsync($"/api/v1/namespaces/{space}")).Code == 404);
    }

    [Fact]
    public async Task A_definition_goes_after_its_instances()
    {
        var (space, group) = (await server.NamespaceAsync(), await server.DefineAsync());
        var thing = $"/apis/{group}/v1/namespaces/{space}/things";
        await server.PostAsync(thing, RunningApiServer.Thing(group, "free"));
        await server.PostAsync(thing, RunningApiServer.Thing(group, "held").Replace("\"name\"", "\"finalizers\":[\"example.com/x\"],\"name\"", StringComparison.Ordinal));
        var definition = $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}";
        (await server.DeleteAsync(definition)).Code.ShouldBe(200);
        await Eventually.True(async () => (await server.GetAsync(thing + "/free")).Code == 404);
        (await server.PostAsync(thing, RunningApiServer.Thing(group, "late"))).Code.ShouldBe(405);
        (await server.MergeAsync(thing + "/held", """{"metadata":{"finalizers":null}}""")).Code.ShouldBe(200);
        await Eventually.True(async () => (await server.GetAsync(definition)).Code == 404);
        (await server.GetAsync(thing)).Message.ShouldBe("the server could not find the requested resource");
    }

    [Theory]
    [InlineData("\"text\"")]
    [InlineData("[1]")]
    [InlineData("""{"finalizers":["its own"]}""")]
    public async Task A_custom_resource_goes_whatever_its_spec_is(string spec)
    {
        var space = await server.NamespaceAsync();
        var group = space + ".example.com";
        var defined = await server.PostAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", $$$$$$$"""
            {"metadata":{"name":"things.{{{{{{{group}}}}}}}"},"spec":{"group":"{{{{{{{group}}}}}}}","scope":"Namespaced","names":{"plural":"things","kind":"Thing"},"versions":[{"name":"v1","served":true,"storage":true,
             "schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"x-kubernetes-preserve-unknown-fields":true}}}}}]}}
            """);
        defined.Code.ShouldBe(201, defined.Body.ToJsonString());
        var things = $"/apis/{group}/v1/namespaces/{space}/things";
        foreach (var name in new[] { "a", "b", "held" })
            (await server.PostAsync(things, RunningApiServer.Thing(group, name)[..^1] + $$""","spec":{{spec}}}""")).Code.ShouldBe(201);
        ((string?)(await server.DeleteAsync(things + "/a")).Body["status"]).ShouldBe("Success");
        (await server.MergeAsync(things + "/held", """{"metadata":{"finalizers":["example.com/x"]}}""")).Code.ShouldBe(200);
        (await server.DeleteAsync(things + "/held")).Body["metadata"]!["deletionTimestamp"].ShouldNotBeNull();
        (await server.MergeAsync(things + "/held", """{"metadata":{"finalizers":null}}""")).Code.ShouldBe(200);
        (await server.GetAsync(things)).Body["items"]!.AsArray().Select(one => (string?)one!["metadata"]!["name"]).ShouldBe(["b"]);
        (await server.DeleteAsync($"/api/v1/namespaces/{space}")).Code.ShouldBe(200);
        await Eventually.True(async () => (await server.GetAsync($"/api/v1/namespaces/{space}")).Code == 404);
    }

    private async Task<string> ConfigMapAsync(string metadata)
    {
        var space = await server.NamespaceAsync();
        (await server.PostAsync($"/api/v1/namespaces/{space}/configmaps", $$$"""{"metadata":{"name":"a"{{{metadata}}}}}""")).Code.ShouldBe(201);
        return $"/api/v1/namespaces/{space}/configmaps/a";
    }

    private sealed class UnmeasuredContent : HttpContent
    {
        private readonly byte[] bytes;

        public UnmeasuredContent(string text)
        {
            bytes = Encoding.UTF8.GetBytes(text);
            Headers.ContentType = new("application/json");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(bytes).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
