namespace Flotta.Tests.ApiServer.Verbs;

[Collection("api server")]
public sealed class EventTests(RunningApiServer server)
{
    private const string Body = """
        {"metadata":{"name":"e"},"eventTime":"2026-01-01T00:00:00.000000Z","type":"Warning","reason":"TooBig","action":"a","note":"it does not fit",
         "reportingController":"a.b/c","reportingInstance":"i","regarding":{"kind":"Thing","name":"x","namespace":"NS"}}
        """;

    [Fact]
    public async Task An_event_written_through_one_group_is_the_same_event_in_the_other()
    {
        var space = await server.NamespaceAsync();
        var made = await server.PostAsync($"/apis/events.k8s.io/v1/namespaces/{space}/events", Body.Replace("NS", space, StringComparison.Ordinal));
        made.Code.ShouldBe(201, made.Body.ToJsonString());
        ((string?)made.Body["apiVersion"]).ShouldBe("events.k8s.io/v1");
        var core = await server.GetAsync($"/api/v1/namespaces/{space}/events/e");
        ((string?)core.Body["message"]).ShouldBe("it does not fit");
        ((string?)core.Body["involvedObject"]!["name"]).ShouldBe("x");
        core.Version.ShouldBe(made.Version);
        (await server.MergeAsync($"/api/v1/namespaces/{space}/events/e", """{"message":"it fits now"}""")).Code.ShouldBe(200);
        var list = await server.GetAsync($"/apis/events.k8s.io/v1/namespaces/{space}/events?fieldSelector=regarding.name%3Dx");
        ((string?)list.Body["items"]![0]!["note"]).ShouldBe("it fits now");
        (await server.GetAsync($"/apis/events.k8s.io/v1/namespaces/{space}/events?fieldSelector=source%3Delsewhere")).Body["items"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_watch_of_one_group_sees_what_is_written_through_the_other()
    {
        var space = await server.NamespaceAsync();
        await using var watch = await OpenWatch.StartAsync(server.Http, new Uri(server.Server.Address, $"/apis/events.k8s.io/v1/namespaces/{space}/events?watch=true"));
        await server.PostAsync($"/api/v1/namespaces/{space}/events", $$$"""{"metadata":{"name":"e"},"involvedObject":{"namespace":"{{{space}}}"},"message":"hello"}""");
        (await watch.NextAsync()).ShouldBe("ADDED e");
        ((string?)watch.Last["object"]!["note"]).ShouldBe("hello");
        (await server.DeleteAsync($"/apis/events.k8s.io/v1/namespaces/{space}/events/e")).Code.ShouldBe(200);
        (await watch.NextAsync()).ShouldBe("DELETED e");
        (await server.GetAsync($"/api/v1/namespaces/{space}/events/e")).Code.ShouldBe(404);
    }
}
