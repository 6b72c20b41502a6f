using System.Text.Json.Nodes;

namespace Flotta.Tests.ApiServer.Verbs;

[Collection("api server")]
public sealed class WatchTests(RunningApiServer server)
{
    [Fact]
    public async Task A_watch_from_a_version_tells_all_that_came_after_it_once()
    {
        var path = await PathAsync();
        var from = (await server.GetAsync(path)).Version;
        await server.PostAsync(path, """{"metadata":{"name":"a"}}""");
        await server.MergeAsync(path + "/a", """{"data":{"x":"1"}}""");
        await using var watch = await OpenAsync(path, $"resourceVersion={from}");
        (await watch.NextAsync()).ShouldBe("ADDED a");
        (await watch.NextAsync()).ShouldBe("MODIFIED a");
        await server.DeleteAsync(path + "/a");
        (await watch.NextAsync()).ShouldBe("DELETED a");
        watch.Last["object"]!["data"]!["x"]!.GetValue<string>().ShouldBe("1");
    }

    [Fact]
    public async Task A_watch_without_a_version_begins_with_what_there_is()
    {
        var path = await PathAsync();
        await server.PostAsync(path, """{"metadata":{"name":"a"}}""");
        await using var watch = await OpenAsync(path, "");
        (await watch.NextAsync()).ShouldBe("ADDED a");
        await server.PostAsync(path, """{"metadata":{"name":"b"}}""");
        (await watch.NextAsync()).ShouldBe("ADDED b");
    }

    [Fact]
    public async Task To_a_selecting_watcher_objects_come_and_go_with_their_labels()
    {
        var path = await PathAsync();
        await using var watch = await OpenAsync(path, "labelSelector=on%3Dyes");
        await server.PostAsync(path, """{"metadata":{"name":"other"}}""");
        await server.PostAsync(path, """{"metadata":{"name":"a","labels":{"on":"no"}}}""");
        await server.MergeAsync(path + "/a", """{"metadata":{"labels":{"on":"yes"}}}""");
        (await watch.NextAsync()).ShouldBe("ADDED a");
        await server.MergeAsync(path + "/a", """{"data":{"x":"1"}}""");
        (await watch.NextAsync()).ShouldBe("MODIFIED a");
        var off = await server.MergeAsync(path + "/a", """{"metadata":{"labels":{"on":"no"}}}""");
        (await watch.NextAsync()).ShouldBe("DELETED a");
        ((string?)watch.Last["object"]!["metadata"]!["resourceVersion"]).ShouldBe(off.Version);
    }

    [Fact]
    public async Task One_object_can_be_watched()
    {
        var path = await PathAsync();
        await using var watch = await OpenAsync(path, "fieldSelector=metadata.name%3Db");
        await server.PostAsync(path, """{"metadata":{"name":"a"}}""");
        await server.PostAsync(path, """{"metadata":{"name":"b"}}""");
        (await watch.NextAsync()).ShouldBe("ADDED b");
    }

    [Fact]
    public async Task A_timeout_ends_the_watch_with_a_bookmark()
    {
        var path = await PathAsync();
        await using var watch = await OpenAsync(path, "timeoutSeconds=1&allowWatchBookmarks=true");
        (await watch.NextAsync()).ShouldBe("BOOKMARK ");
        (await watch.NextAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task Initial_events_end_with_a_marked_bookmark()
    {
        var path = await PathAsync();
        await server.PostAsync(path, """{"metadata":{"name":"a"}}""");
        await using var watch = await OpenAsync(path, "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");
        (await watch.NextAsync()).ShouldBe("ADDED a");
        (await watch.NextAsync()).ShouldBe("BOOKMARK ");
        ((string?)watch.Last["object"]!["metadata"]!["annotations"]!["k8s.io/initial-events-end"]).ShouldBe("true");
    }

    [Fact]
    public async Task Tables_are_watched_with_columns_in_the_first_row_only()
    {
        var path = await PathAsync();
        await server.PostAsync(path, """{"metadata":{"name":"a"}}""");
        await server.PostAsync(path, """{"metadata":{"name":"b"}}""");
        await using var watch = await OpenAsync(path, "", "application/json;as=Table;v=v1;g=meta.k8s.io");
        await watch.NextAsync();
        ((string?)watch.Last["object"]!["kind"]).ShouldBe("Table");
        watch.Last["object"]!["columnDefinitions"]!.AsArray().ShouldNotBeEmpty();
        await watch.NextAsync();
        (watch.Last["object"]!["columnDefinitions"] as JsonArray ?? []).ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_is_missed_or_told_twice_while_many_write()
    {
        var path = await PathAsync();
        var from = (await server.GetAsync(path)).Version;
        var writing = Task.WhenAll(Enumerable.Range(0, 60).Select(i => server.PostAsync(path, $$$"""{"metadata":{"name":"n{{{i}}}"}}""")));
        await using var watch = await OpenAsync(path, $"resourceVersion={from}");
        await writing;
        var versions = new List<long>();
        for (var i = 0; i < 60; i++)
        {
            await watch.NextAsync();
            versions.Add(long.Parse((string)watch.Last["object"]!["metadata"]!["resourceVersion"]!, System.Globalization.CultureInfo.InvariantCulture));
        }

        versions.ShouldBe(versions.Distinct().Order());
    }

    [Fact]
    public async Task A_version_from_the_future_has_to_start_over()
    {
        await using var watch = await OpenAsync(await PathAsync(), "resourceVersion=999999999");
        (await watch.NextAsync()).ShouldBe("ERROR ");
        ((int?)watch.Last["object"]!["code"]).ShouldBe(410);
    }

    private async Task<string> PathAsync() => $"/api/v1/namespaces/{await server.NamespaceAsync()}/configmaps";

    private Task<OpenWatch> OpenAsync(string path, string query, string? accept = null) =>
        OpenWatch.StartAsync(server.Http, new Uri(server.Server.Address, $"{path}?watch=true&{query}"), accept);
}
