using System.Collections.Concurrent;
using System.Net;
using Flotta.Kube;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Kube;

public sealed class ObjectCacheTests : IAsyncDisposable
{
    private readonly FakeTimeProvider time = new();
    private readonly ScriptedApi api = new();
    private readonly CancellationTokenSource stop = new();
    private readonly ObjectCache<V1ConfigMap> cache;
    private readonly ConcurrentQueue<string> changes = new();
    private Task running = Task.CompletedTask;

    public ObjectCacheTests()
    {
        cache = new ObjectCache<V1ConfigMap>(
            api.Connect(time),
            new ObjectCacheOptions<V1ConfigMap>
            {
                PageSize = 2,
                Indexes = new Dictionary<string, Func<V1ConfigMap, IEnumerable<string>>> { ["colour"] = map => map.Data?.TryGetValue("colour", out var colour) == true ? [colour] : [] },
                Transform = map =>
                {
                    map.Data?.Remove("unneeded");
                    return map;
                },
            },
            NullLoggerFactory.Instance,
            time);
        cache.Changed += change => changes.Enqueue($"{change.Key} {change.Before?.Metadata.ResourceVersion ?? "-"}>{change.After?.Metadata.ResourceVersion ?? "-"}");
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(10));
        stop.Dispose();
    }

    [Fact]
    public async Task It_lists_in_pages_and_then_watches_from_there()
    {
        api.Then(Page("10", "more", Map("a", 1), Map("b", 2))).Then(Page("10", null, Map("c", 3)));
        api.ThenWatch();
        await StartAsync();
        cache.All.Select(map => map.Metadata.Name).Order().ShouldBe(["a", "b", "c"]);
        await Eventually.True(() => api.Requests.Count == 3);
        var requests = api.Requests.ToArray();
        requests[0].ShouldBe("GET /api/v1/configmaps?limit=2");
        requests[1].ShouldBe("GET /api/v1/configmaps?limit=2&continue=more");
        requests[2].ShouldStartWith("GET /api/v1/configmaps?watch=true&allowWatchBookmarks=true&timeoutSeconds=");
        requests[2].ShouldEndWith("&resourceVersion=10");
    }

    [Fact]
    public async Task Changes_are_announced_with_before_and_after()
    {
        api.Then(Page("10", null, Map("a", 1)));
        var watch = api.ThenWatch();
        await StartAsync();
        await watch.Send("ADDED", Map("b", 11));
        await watch.Send("MODIFIED", Map("a", 12));
        await watch.Send("DELETED", Map("a", 13));
        await Eventually.True(() => changes.Count == 4);
        changes.ShouldBe(["ns/a ->1", "ns/b ->11", "ns/a 1>12", "ns/a 12>-"]);
        cache.Get("ns", "a").ShouldBeNull();
    }

    [Fact]
    public async Task Indexes_follow_the_objects()
    {
        api.Then(Page("10", null, Map("a", 1, "red"), Map("b", 2, "red")));
        var watch = api.ThenWatch();
        await StartAsync();
        cache.ByIndex("colour", "red").Count.ShouldBe(2);
        await watch.Send("MODIFIED", Map("a", 11, "blue"));
        await watch.Send("DELETED", Map("b", 12, "red"));
        await Eventually.True(() => changes.Count == 4);
        cache.ByIndex("colour", "red").ShouldBeEmpty();
        cache.ByIndex("colour", "blue").Single().Metadata.Name.ShouldBe("a");
        cache.ByIndex("colour", "never seen").ShouldBeEmpty();
    }

    [Fact]
    public async Task What_nobody_reads_is_dropped()
    {
        api.Then(Page("10", null, """{"metadata":{"name":"a","namespace":"ns","uid":"a","resourceVersion":"1","managedFields":[{"manager":"x"}]},"data":{"unneeded":"1","needed":"2"}}"""));
        api.ThenWatch();
        await StartAsync();
        cache.All[0].Metadata.ManagedFields.ShouldBeNull();
        cache.All[0].Data.Keys.ShouldBe(["needed"]);
    }

    [Fact]
    public async Task After_a_lost_connection_it_goes_on_from_the_last_bookmark()
    {
        api.Then(Page("10", null));
        var watch = api.ThenWatch();
        api.ThenBreak();
        var second = api.ThenWatch();
        await StartAsync();
        await watch.Send("BOOKMARK", """{"metadata":{"resourceVersion":"77"}}""");
        watch.End();
        await AdvanceUntil(() => api.Requests.Count == 4);
        api.Requests.Last().ShouldEndWith("&resourceVersion=77");
        await second.Send("ADDED", Map("a", 78));
        await Eventually.True(() => cache.Count == 1);
    }

    [Fact]
    public async Task After_gone_it_lists_again_and_announces_only_what_differs()
    {
        api.Then(Page("10", null, Map("a", 1), Map("b", 2), Map("c", 3)));
        var watch = api.ThenWatch();
        api.Then(Page("50", null, Map("a", 1), Map("b", 40)));
        api.ThenWatch();
        await StartAsync();
        changes.Clear();
        await watch.Send("ERROR", """{"kind":"Status","code":410,"reason":"Expired","message":"too old"}""");
        await AdvanceUntil(() => api.Requests.Count == 4);
        changes.ShouldBe(["ns/c 3>-", "ns/b 2>40"]);
    }

    [Fact]
    public async Task A_list_that_breaks_off_half_way_deletes_nothing()
    {
        api.Then(Page("10", null, Map("a", 1), Map("b", 2), Map("c", 3)));
        var watch = api.ThenWatch();
        api.Then(Page("50", "more", Map("a", 1))).ThenBreak().Then(Page("51", null, Map("a", 1), Map("b", 2), Map("c", 3)));
        api.ThenWatch();
        await StartAsync();
        changes.Clear();
        await watch.Send("ERROR", """{"kind":"Status","code":410,"reason":"Expired","message":"too old"}""");
        await AdvanceUntil(() => api.Requests.Count == 6);
        changes.ShouldBeEmpty();
        cache.Count.ShouldBe(3);
    }

    [Fact]
    public async Task One_object_that_cannot_be_read_does_not_cost_the_others()
    {
        api.Then(Page("10", null, Map("a", 1), """{"metadata":{"name":"bad","namespace":"ns","uid":"bad","resourceVersion":"2"},"data":"no map"}""", Map("c", 3)));
        var watch = api.ThenWatch();
        await StartAsync();
        cache.All.Select(map => map.Metadata.Name).Order().ShouldBe(["a", "c"]);
        // One that could be read before stays as it was.
        await watch.Send("MODIFIED", """{"metadata":{"name":"a","namespace":"ns","uid":"a","resourceVersion":"11"},"data":[1]}""");
        await watch.Send("MODIFIED", Map("bad", 12));
        await watch.Send("DELETED", """{"metadata":{"name":"c","namespace":"ns","uid":"c","resourceVersion":"13"},"data":7}""");
        await Eventually.True(() => cache.Get("ns", "c") == null);
        cache.All.Select(map => $"{map.Metadata.Name} {map.Metadata.ResourceVersion}").Order().ShouldBe(["a 1", "bad 12"]);
    }

    [Fact]
    public async Task It_syncs_although_the_server_is_not_there_at_first()
    {
        api.ThenBreak().Then(HttpStatusCode.ServiceUnavailable, "<html>no</html>").Then(Page("1", null, Map("a", 1)));
        api.ThenWatch();
        running = cache.RunAsync(stop.Token);
        cache.HasSynced.ShouldBeFalse();
        await AdvanceUntil(() => cache.HasSynced);
        cache.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Ones_own_write_is_seen_at_once_and_an_older_event_does_not_undo_it()
    {
        api.Then(Page("10", null, Map("a", 1)));
        var watch = api.ThenWatch();
        await StartAsync();
        cache.Remember(Object("a", 20, "new"));
        cache.Get("ns", "a")!.Metadata.ResourceVersion.ShouldBe("20");
        await watch.Send("MODIFIED", Map("a", 15, "old"));
        await watch.Send("ADDED", Map("marker", 30));
        await Eventually.True(() => cache.Count == 2);
        cache.Get("ns", "a")!.Metadata.ResourceVersion.ShouldBe("20");
    }

    [Fact]
    public async Task What_was_deleted_is_not_remembered_back_into_being()
    {
        api.Then(Page("10", null, Map("a", 1)));
        var watch = api.ThenWatch();
        await StartAsync();
        await watch.Send("DELETED", Map("a", 11));
        await Eventually.True(() => cache.Count == 0);
        cache.Remember(Object("a", 9, "late"));
        cache.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_handler_that_throws_does_not_stop_the_cache()
    {
        cache.Changed += _ => throw new InvalidOperationException("a bug");
        api.Then(Page("10", null, Map("a", 1)));
        var watch = api.ThenWatch();
        await StartAsync();
        await watch.Send("ADDED", Map("b", 11));
        await Eventually.True(() => cache.Count == 2);
    }

    private async Task StartAsync()
    {
        running = cache.RunAsync(stop.Token);
        await cache.WaitForSyncAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));
    }

    private Task AdvanceUntil(Func<bool> condition) => Eventually.True(() =>
    {
        time.Advance(TimeSpan.FromSeconds(1));
        return condition();
    });

    private static string Page(string version, string? next, params string[] items) =>
        $$"""{"kind":"ConfigMapList","metadata":{"resourceVersion":"{{version}}"{{(next == null ? "" : $",\"continue\":\"{next}\"")}}},"items":[{{string.Join(',', items)}}]}""";

    private static string Map(string name, int version, string colour = "none") =>
        $$$"""{"metadata":{"name":"{{{name}}}","namespace":"ns","uid":"{{{name}}}","resourceVersion":"{{{version}}}"},"data":{"colour":"{{{colour}}}"}}""";

    private static V1ConfigMap Object(string name, int version, string colour) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "ns", Uid = name, ResourceVersion = version.ToString(System.Globalization.CultureInfo.InvariantCulture) },
        Data = new Dictionary<string, string> { ["colour"] = colour },
    };
}
