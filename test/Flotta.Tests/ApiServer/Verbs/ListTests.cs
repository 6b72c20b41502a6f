namespace Flotta.Tests.ApiServer.Verbs;

[Collection("api server")]
public sealed class ListTests(RunningApiServer server)
{
    [Fact]
    public async Task Pages_are_of_one_version_whatever_happens_meanwhile()
    {
        var path = await FilledAsync(7);
        var first = await server.GetAsync(path + "?limit=3");
        Names(first).ShouldBe(["n0", "n1", "n2"]);
        ((int)first.Body["metadata"]!["remainingItemCount"]!).ShouldBe(4);
        await server.DeleteAsync(path + "/n4");
        await server.PostAsync(path, """{"metadata":{"name":"n3a"}}""");
        var second = await server.GetAsync(path + "?limit=3&continue=" + first.Body["metadata"]!["continue"]);
        Names(second).ShouldBe(["n3", "n4", "n5"]);
        second.Version.ShouldBe(first.Version);
        var third = await server.GetAsync(path + "?limit=3&continue=" + second.Body["metadata"]!["continue"]);
        Names(third).ShouldBe(["n6"]);
        third.Body["metadata"]!["continue"].ShouldBeNull();
    }

    [Fact]
    public async Task A_page_whose_list_is_forgotten_is_gone_and_offers_to_go_on_with_the_present()
    {
        var path = await FilledAsync(3);
        var token = new Flotta.ApiServer.Verbs.ContinueToken(999_999_999, path.Split('/')[4], "n0");
        var gone = await server.GetAsync(path + "?limit=1&continue=" + token);
        gone.Code.ShouldBe(410);
        gone.Reason.ShouldBe("Expired");
        Names(await server.GetAsync(path + "?limit=1&continue=" + gone.Body["metadata"]!["continue"])).ShouldBe(["n1"]);
        (await server.GetAsync(path + "?continue=rubbish")).Code.ShouldBe(400);
    }

    [Theory]
    [InlineData("labelSelector=even%3Dtrue", "n0,n2")]
    [InlineData("labelSelector=even%21%3Dtrue", "n1,n3")]
    [InlineData("labelSelector=even+in+(true),number+notin+(2)", "n0")]
    [InlineData("fieldSelector=metadata.name%3Dn2", "n2")]
    [InlineData("fieldSelector=metadata.name%21%3Dn2", "n0,n1,n3")]
    [InlineData("fieldSelector=metadata.name%3Dn2&labelSelector=even%3Dfalse", "")]
    [InlineData("limit=2&labelSelector=even%3Dtrue", "n0,n2")]
    public async Task Selectors_choose(string query, string names)
    {
        var path = await FilledAsync(4);
        string.Join(',', Names(await server.GetAsync(path + "?" + query))).ShouldBe(names);
    }

    [Fact]
    public async Task A_definitions_selectable_fields_choose_and_others_are_refused()
    {
        var (space, group) = (await server.NamespaceAsync(), await server.DefineAsync());
        var path = $"/apis/{group}/v1/namespaces/{space}/things";
        await server.PostAsync(path, RunningApiServer.Thing(group, "a", ""","spec":{"color":"red"}"""));
        await server.PostAsync(path, RunningApiServer.Thing(group, "b", ""","spec":{"color":"blue"}"""));
        Names(await server.GetAsync(path + "?fieldSelector=spec.color%3Dblue")).ShouldBe(["b"]);
        (await server.GetAsync(path + "?fieldSelector=spec.size%3D3")).Code.ShouldBe(400);
        (await server.GetAsync(path + "?labelSelector=a+in")).Code.ShouldBe(400);
    }

    [Fact]
    public async Task A_list_is_of_its_kind_and_namespace()
    {
        var path = await FilledAsync(2);
        var list = await server.GetAsync(path);
        ((string?)list.Body["kind"]).ShouldBe("ConfigMapList");
        ((string?)list.Body["apiVersion"]).ShouldBe("v1");
        list.Body["items"]!.AsArray().Count.ShouldBe(2);
        (await server.GetAsync("/api/v1/configmaps")).Body["items"]!.AsArray().Count.ShouldBeGreaterThanOrEqualTo(2);
    }

    [Fact]
    public async Task Tables_have_the_columns_of_the_definition()
    {
        var (space, group) = (await server.NamespaceAsync(), await server.DefineAsync());
        var path = $"/apis/{group}/v1/namespaces/{space}/things";
        await server.PostAsync(path, RunningApiServer.Thing(group, "a", ""","spec":{"size":42}"""));
        foreach (var one in new[] { path, path + "/a" })
        {
            var table = await server.GetAsync(one, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
            ((string?)table.Body["kind"]).ShouldBe("Table");
            table.Body["columnDefinitions"]!.AsArray().Select(column => (string?)column!["name"]).ShouldContain("Size");
            table.Body["rows"]![0]!["cells"]!.ToJsonString().ShouldStartWith("[\"a\",42");
            ((string?)table.Body["rows"]![0]!["object"]!["kind"]).ShouldBe("PartialObjectMetadata");
        }
    }

    [Fact]
    public async Task Metadata_alone_can_be_asked_for()
    {
        var path = await FilledAsync(1);
        var list = await server.GetAsync(path, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
        ((string?)list.Body["kind"]).ShouldBe("PartialObjectMetadataList");
        list.Body["items"]![0]!["data"].ShouldBeNull();
        (await server.GetAsync(path, "text/html")).Code.ShouldBe(406);
    }

    [Fact]
    public async Task A_version_that_is_not_yet_there_is_a_timeout()
    {
        var path = await FilledAsync(1);
        (await server.GetAsync(path + "?resourceVersion=99999999")).Code.ShouldBe(504);
        (await server.GetAsync(path + "?resourceVersion=0")).Code.ShouldBe(200);
        (await server.GetAsync(path + "?resourceVersion=x")).Code.ShouldBe(400);
        (await server.GetAsync(path + "?limit=x")).Code.ShouldBe(400);
    }

    private async Task<string> FilledAsync(int count)
    {
        var space = await server.NamespaceAsync();
        for (var i = 0; i < count; i++)
        {
            await server.PostAsync(
                $"/api/v1/namespaces/{space}/configmaps",
                $$$"""{"metadata":{"name":"n{{{i}}}","labels":{"even":"{{{(i % 2 == 0 ? "true" : "false")}}}","number":"{{{i}}}"}},"data":{"a":"b"}}""");
        }

        return $"/api/v1/namespaces/{space}/configmaps";
    }

    private static IEnumerable<string?> Names(Reply reply) => reply.Body["items"]!.AsArray().Select(one => (string?)one!["metadata"]!["name"]);
}
