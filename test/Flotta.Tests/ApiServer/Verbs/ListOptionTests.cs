using System.Text.Json.Nodes;

namespace Flotta.Tests.ApiServer.Verbs;

[Collection("api server")]
public sealed class ListOptionTests(RunningApiServer server)
{
    [Theory]
    [InlineData("resourceVersionMatch=Exact", "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")]
    [InlineData("resourceVersionMatch=Exact&resourceVersion=0", "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")]
    [InlineData("resourceVersionMatch=Foo&resourceVersion=1", "resourceVersionMatch: Unsupported value: \"Foo\": supported values: \"Exact\", \"NotOlderThan\", \"\"")]
    [InlineData("sendInitialEvents=true", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list")]
    [InlineData("watch=1&sendInitialEvents=true", "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")]
    [InlineData("watch=1&resourceVersionMatch=NotOlderThan", "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")]
    public async Task Parameters_that_do_not_go_together_are_refused(string query, string why)
    {
        var refused = await server.GetAsync("/api/v1/configmaps?" + query);
        refused.Code.ShouldBe(422);
        refused.Message.ShouldBe("ListOptions.meta.k8s.io \"\" is invalid: " + why);
    }

    [Fact]
    public async Task An_exact_list_is_of_that_very_version()
    {
        var space = await server.NamespaceAsync();
        var at = $"/api/v1/namespaces/{space}/configmaps";
        await server.PostAsync(at, """{"metadata":{"name":"a"},"data":{"x":"1"}}""");
        var then = (await server.PostAsync(at, """{"metadata":{"name":"b"}}""")).Version;
        await server.MergeAsync(at + "/a", """{"data":{"x":"2"}}""");
        await server.DeleteAsync(at + "/b");
        await server.PostAsync(at, """{"metadata":{"name":"c"}}""");

        Shown(await server.GetAsync($"{at}?resourceVersion={then}&resourceVersionMatch=Exact")).ShouldBe("a=1 b=");
        Shown(await server.GetAsync($"{at}?resourceVersion={then}&limit=9")).ShouldBe("a=1 b=");
        Shown(await server.GetAsync($"{at}?resourceVersion={then}&resourceVersionMatch=NotOlderThan&limit=9")).ShouldBe("a=2 c=");
        Shown(await server.GetAsync($"{at}?resourceVersion={then}")).ShouldBe("a=2 c=");
        (await server.GetAsync($"{at}?resourceVersion={then}&resourceVersionMatch=Exact")).Version.ShouldBe(then);

        var page = await server.GetAsync($"{at}?resourceVersion={then}&resourceVersionMatch=Exact&limit=1");
        Shown(page).ShouldBe("a=1");
        var next = Uri.EscapeDataString((string)page.Body["metadata"]!["continue"]!);
        Shown(await server.GetAsync($"{at}?limit=1&continue={next}")).ShouldBe("b=");
        (await server.GetAsync($"{at}?limit=1&continue={next}&resourceVersion={then}")).Message.ShouldBe("specifying resource version is not allowed when using continue");
    }

    [Fact]
    public async Task A_page_of_a_past_version_of_one_kind_says_nothing_of_another()
    {
        var space = await server.NamespaceAsync();
        var (maps, secrets) = ($"/api/v1/namespaces/{space}/configmaps", $"/api/v1/namespaces/{space}/secrets");
        await server.PostAsync(maps, """{"metadata":{"name":"a"}}""");
        var then = (await server.PostAsync(maps, """{"metadata":{"name":"b"}}""")).Version;
        await server.PostAsync(secrets, """{"metadata":{"name":"later"}}""");
        (await server.GetAsync($"{maps}?resourceVersion={then}&resourceVersionMatch=Exact&limit=1")).Body["items"]!.AsArray().Count.ShouldBe(1);
        var list = await server.GetAsync($"{secrets}?resourceVersion={then}&resourceVersionMatch=Exact");
        list.Version.ShouldBe(then);
        list.Body["items"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_version_from_the_future_is_answered_with_try_again()
    {
        var late = await server.GetAsync("/api/v1/configmaps?resourceVersion=99999999999&resourceVersionMatch=NotOlderThan");
        late.Code.ShouldBe(504);
        late.Message.ShouldStartWith("Too large resource version: 99999999999, current: ");
        (await server.GetAsync("/api/v1/configmaps?watch=1&sendInitialEvents=1&resourceVersionMatch=NotOlderThan&resourceVersion=99999999999")).Code.ShouldBe(504);
    }

    [Fact]
    public async Task A_streamed_list_ends_with_a_marked_bookmark_and_goes_on_as_a_watch()
    {
        var space = await server.NamespaceAsync();
        var at = $"/api/v1/namespaces/{space}/configmaps";
        await server.PostAsync(at, """{"metadata":{"name":"a"}}""");
        const string Query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
        await using var watch = await OpenWatch.StartAsync(server.Http, new Uri(server.Server.Address, $"{at}?{Query}"));
        (await watch.NextAsync()).ShouldBe("ADDED a");
        (await watch.NextAsync()).ShouldBe("BOOKMARK ");
        ((string?)watch.Last["object"]!["metadata"]!["annotations"]!["k8s.io/initial-events-end"]).ShouldBe("true");
        await server.PostAsync(at, """{"metadata":{"name":"b"}}""");
        (await watch.NextAsync()).ShouldBe("ADDED b");
    }

    [Fact]
    public async Task A_watch_without_initial_events_begins_now()
    {
        var space = await server.NamespaceAsync();
        var at = $"/api/v1/namespaces/{space}/configmaps";
        await server.PostAsync(at, """{"metadata":{"name":"a"}}""");
        await using var watch = await OpenWatch.StartAsync(server.Http, new Uri(server.Server.Address, $"{at}?watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan"));
        await server.PostAsync(at, """{"metadata":{"name":"b"}}""");
        (await watch.NextAsync()).ShouldBe("ADDED b");
    }

    private static string Shown(Reply list)
    {
        list.Code.ShouldBe(200, list.Body.ToJsonString());
        return string.Join(' ', list.Body["items"]!.AsArray().Where(item => (string?)item!["metadata"]!["name"] is "a" or "b" or "c").Select(item => $"{item!["metadata"]!["name"]}={item["data"]?["x"]}"));
    }
}
