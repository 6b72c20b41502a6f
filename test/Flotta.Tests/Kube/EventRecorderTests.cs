using System.Net;
using Flotta.Kube;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Kube;

public sealed class EventRecorderTests
{
    private readonly ScriptedApi api = new();
    private readonly EventRecorder recorder;
    private readonly V1ConfigMap about = new() { Metadata = new V1ObjectMeta { Name = "a", NamespaceProperty = "ns", Uid = "u" } };

    public EventRecorderTests()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        recorder = new EventRecorder(api.Connect(time), "edge-api", "replica-1", time);
    }

    [Fact]
    public async Task The_same_word_again_only_counts()
    {
        api.Then(Event(1, "10")).Then(Event(2, "11")).Then(Event(3, "12"));
        for (var time = 0; time < 3; time++)
            await recorder.RecordAsync(about, EventRecorder.Warning, "Failed", "no image", CancellationToken.None);
        var requests = api.Requests.ToArray();
        requests[0].ShouldStartWith("POST /api/v1/namespaces/ns/events ");
        requests[0].ShouldContain("\"involvedObject\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"a\",\"namespace\":\"ns\",\"uid\":\"u\"}");
        requests[1].ShouldStartWith("PATCH /api/v1/namespaces/ns/events/a.");
        requests[1].ShouldEndWith("""{"metadata":{"resourceVersion":"10"},"count":2,"lastTimestamp":"2026-01-02T03:04:05Z"}""");
        requests[2].ShouldContain("\"count\":3");
    }

    [Fact]
    public async Task Another_replicas_event_is_counted_on()
    {
        api.Then(HttpStatusCode.Conflict, """{"kind":"Status","reason":"AlreadyExists","code":409}""").Then(Event(7, "10")).Then(Event(8, "11"));
        await recorder.RecordAsync(about, EventRecorder.Warning, "Failed", "no image", CancellationToken.None);
        api.Requests.Last().ShouldContain("\"count\":8");
    }

    [Fact]
    public async Task An_expired_event_starts_over()
    {
        api.Then(Event(1, "10")).Then(HttpStatusCode.NotFound, """{"kind":"Status","reason":"NotFound","code":404}""").Then(Event(1, "20"));
        await recorder.RecordAsync(about, EventRecorder.Warning, "Failed", "no image", CancellationToken.None);
        await recorder.RecordAsync(about, EventRecorder.Warning, "Failed", "no image", CancellationToken.None);
        api.Requests.Last().ShouldStartWith("POST");
    }

    [Fact]
    public async Task A_message_of_any_length_fits()
    {
        api.Then(Event(1, "10"));
        await recorder.RecordAsync(about, EventRecorder.Normal, "Long", new string('x', 5000), CancellationToken.None);
        api.Requests.Single().ShouldNotContain(new string('x', 1025));
    }

    private static string Event(int count, string version) =>
        $$$"""{"metadata":{"name":"a.1","namespace":"ns","resourceVersion":"{{{version}}}"},"involvedObject":{"name":"a"},"count":{{{count}}}}""";
}
