using System.Net;
using Flotta.Kube;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Kube;

public sealed class EventRecorderTests
{
    private readonly ScriptedApi api = new();
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly EventRecorder recorder;
    private readonly V1ConfigMap about = new() { Metadata = new V1ObjectMeta { Name = "a", NamespaceProperty = "ns", Uid = "u" } };

    public EventRecorderTests()
    {
        recorder = new EventRecorder(api.Connect(time), "edge-api", "replica-1", time);
    }

    [Fact]
    public async Task The_same_word_again_only_counts()
    {
        api.Then(Event(1, "10")).Then(Event(2, "11")).Then(Event(3, "12"));
        for (var turn = 0; turn < 3; turn++)
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
        api.Then(Event(1, "10")).Then(HttpStatusCode.NotFound, ScriptedApi.NotFound).Then(Event(1, "20"));
        await recorder.RecordAsync(about, EventRecorder.Warning, "Failed", "no image", CancellationToken.None);
        await recorder.RecordAsync(about, EventRecorder.Warning, "Failed", "no image", CancellationToken.None);
        api.Requests.Last().ShouldStartWith("POST");
    }

    [Fact]
    public async Task A_report_that_an_event_counts_already_is_not_counted_again()
    {
        var reference = new V1ObjectReference { ApiVersion = "v1", Kind = "ConfigMap", Name = "a", NamespaceProperty = "ns", Uid = "u" };
        api.Then(HttpStatusCode.NotFound, ScriptedApi.NotFound).Then(Event(1, "10"));
        await recorder.RecordAsync(reference, EventRecorder.Warning, "Failed", "no image", [new EventReport("report-1")], CancellationToken.None);
        var mark = MarkIn(api.Requests.Last());

        // Another process, which is told by the API server that the Event is there.
        var later = new EventRecorder(api.Connect(new FakeTimeProvider()), "edge-api", "replica-2", new FakeTimeProvider());
        api.Then(HttpStatusCode.NotFound, ScriptedApi.NotFound).Then(HttpStatusCode.Conflict, """{"kind":"Status","reason":"AlreadyExists","code":409}""").Then(Event(1, "10", mark));
        var before = api.Requests.Count;
        await later.RecordAsync(reference, EventRecorder.Warning, "Failed", "no image", [new EventReport("report-1")], CancellationToken.None);
        api.Requests.Skip(before).Select(request => request.Split(' ')[0]).ShouldBe(["GET", "POST", "GET"]);
    }

    [Fact]
    public async Task An_api_server_that_asks_for_a_pause_is_asked_for_no_event_until_it_is_over()
    {
        var reference = new V1ObjectReference { ApiVersion = "v1", Kind = "ConfigMap", Name = "a", NamespaceProperty = "ns", Uid = "u" };
        Task SayAsync(string report) => recorder.RecordAsync(reference, EventRecorder.Warning, "Failed", report, [new EventReport(report)], CancellationToken.None);
        api.Then(HttpStatusCode.TooManyRequests, """{"kind":"Status","reason":"TooManyRequests","code":429,"details":{"retryAfterSeconds":3}}""");
        (await Should.ThrowAsync<KubeException>(() => SayAsync("report-1"))).RetryAfter.ShouldBe(TimeSpan.FromSeconds(3));
        time.Advance(TimeSpan.FromSeconds(2));
        var put = await Should.ThrowAsync<KubeException>(() => SayAsync("report-2"));
        (put.IsTemporary, put.RetryAfter).ShouldBe((true, TimeSpan.FromSeconds(1)));
        api.Requests.Count.ShouldBe(1);
        time.Advance(TimeSpan.FromSeconds(1));
        api.Then(HttpStatusCode.NotFound, ScriptedApi.NotFound).Then(Event(1, "10"));
        await SayAsync("report-2");
        api.Requests.Last().ShouldStartWith("POST");
    }

    [Fact]
    public async Task What_was_one_of_many_before_a_restart_is_not_counted_for_itself_after_it()
    {
        var reference = new V1ObjectReference { ApiVersion = "v1", Kind = "ConfigMap", Name = "a", NamespaceProperty = "ns", Uid = "u" };
        api.Answer = request => request.Method == HttpMethod.Get ? null : Event(1, "10");
        for (var turn = 0; turn < 11; turn++)
            await recorder.RecordAsync(reference, EventRecorder.Warning, "Failed", $"exit code {turn}", [new EventReport($"report-{turn}")], CancellationToken.None);
        var mark = MarkIn(api.Requests.Last());
        api.Requests.Last().ShouldContain("combined from similar events");

        var later = new EventRecorder(api.Connect(new FakeTimeProvider()), "edge-api", "replica-1", new FakeTimeProvider());
        api.Answer = _ => Event(1, "10", mark);
        var before = api.Requests.Count;
        await later.RecordAsync(reference, EventRecorder.Warning, "Failed", "exit code 10", [new EventReport("report-10")], CancellationToken.None);
        api.Requests.Skip(before).Select(request => request.Split(' ')[0]).ShouldBe(["GET"]);
        // What happens now is news, and the question is not asked again.
        await later.RecordAsync(reference, EventRecorder.Warning, "Failed", "exit code 10", [new EventReport("report-11")], CancellationToken.None);
        api.Requests.Skip(before + 1).Select(request => request.Split(' ')[0]).ShouldBe(["POST"]);
    }

    [Fact]
    public async Task What_happened_more_than_once_counts_as_often_and_each_of_it_once()
    {
        var reference = new V1ObjectReference { ApiVersion = "v1", Kind = "ConfigMap", Name = "a", NamespaceProperty = "ns", Uid = "u" };
        api.Answer = request => request.Method == HttpMethod.Get ? null : Event(2, "10", MarkIn(api.Requests.Last()));
        await recorder.RecordAsync(reference, EventRecorder.Warning, "Failed", "no image", [new EventReport("first"), new EventReport("second")], CancellationToken.None);
        api.Requests.Last().ShouldContain("\"count\":2");
        // The first two came again because their answer was lost, and one more happened meanwhile.
        await recorder.RecordAsync(reference, EventRecorder.Warning, "Failed", "no image", [new EventReport("first"), new EventReport("second"), new EventReport("third")], CancellationToken.None);
        api.Requests.Last().ShouldStartWith("PATCH");
        api.Requests.Last().ShouldContain("\"count\":3");
        MarkIn(api.Requests.Last()).Split(',').Length.ShouldBe(3);
    }

    [Fact]
    public async Task A_message_of_any_length_fits()
    {
        api.Then(Event(1, "10"));
        await recorder.RecordAsync(about, EventRecorder.Normal, "Long", new string('x', 5000), CancellationToken.None);
        api.Requests.Single().ShouldNotContain(new string('x', 1025));
    }

    [Fact]
    public async Task A_workload_that_fails_every_few_seconds_with_another_number_each_time_fills_nothing()
    {
        api.Answer = _ => Event(1, "10");
        for (var turn = 0; turn < 100; turn++)
            await recorder.RecordAsync(about, EventRecorder.Warning, "Failed", $"exit code {turn}", CancellationToken.None);
        var requests = api.Requests.ToArray();
        requests.Count(request => request.StartsWith("POST", StringComparison.Ordinal)).ShouldBe(11);
        requests[10].ShouldContain("(combined from similar events): exit code 10");
        requests[^1].ShouldContain("(combined from similar events): exit code 99");
        var last = requests[^1].Split(' ', 3)[1];
        requests[11..].ShouldAllBe(request => request.StartsWith("PATCH " + last, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_device_that_makes_up_reasons_fills_nothing()
    {
        api.Answer = _ => Event(1, "10");
        for (var turn = 0; turn < 100; turn++)
            await recorder.RecordAsync(about, EventRecorder.Warning, $"Reason{turn}", "something", CancellationToken.None);
        var requests = api.Requests.ToArray();
        requests.Count(request => request.StartsWith("POST", StringComparison.Ordinal)).ShouldBe(21);
        requests[20].ShouldContain("\"reason\":\"ManyReasons\"");
        requests[20].ShouldContain("(combined from similar events): Reason20: something");
        requests[^1].ShouldContain("(combined from similar events): Reason99: something");
        // What it said before is still counted for itself, and so is what it says when it has been quiet for a while.
        await recorder.RecordAsync(about, EventRecorder.Warning, "Reason0", "something", CancellationToken.None);
        api.Requests.Last().ShouldNotContain("combined");
        time.Advance(TimeSpan.FromMinutes(11));
        await recorder.RecordAsync(about, EventRecorder.Warning, "Reason100", "something", CancellationToken.None);
        api.Requests.Last().ShouldContain("\"reason\":\"Reason100\"");
    }

    [Fact]
    public async Task Whoever_makes_up_reasons_does_not_make_the_messages_of_others_forgotten()
    {
        api.Answer = _ => Event(1, "10");
        var other = new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "b", NamespaceProperty = "ns", Uid = "v" } };
        for (var turn = 0; turn < 11; turn++)
            await recorder.RecordAsync(other, EventRecorder.Warning, "Failed", $"exit code {turn}", CancellationToken.None);
        for (var turn = 0; turn < 5000; turn++)
            await recorder.RecordAsync(about, EventRecorder.Warning, $"Reason{turn}", "something", CancellationToken.None);
        await recorder.RecordAsync(other, EventRecorder.Warning, "Failed", "exit code 11", CancellationToken.None);
        api.Requests.Last().ShouldStartWith("PATCH");
        api.Requests.Last().ShouldContain("(combined from similar events): exit code 11");
    }

    [Fact]
    public async Task Each_word_of_one_report_counts_also_where_they_are_combined()
    {
        api.Then(HttpStatusCode.NotFound, ScriptedApi.NotFound);
        for (var turn = 0; turn < 11; turn++)
            api.Then(Event(1, "10"));
        for (var turn = 0; turn < 11; turn++)
            await recorder.RecordAsync(new V1ObjectReference { ApiVersion = "v1", Kind = "ConfigMap", Name = "a", NamespaceProperty = "ns", Uid = "u" }, EventRecorder.Warning, "Failed", $"exit code {turn}", [new EventReport("report-1")], CancellationToken.None);
        api.Then(Event(2, "11"));
        await recorder.RecordAsync(new V1ObjectReference { ApiVersion = "v1", Kind = "ConfigMap", Name = "a", NamespaceProperty = "ns", Uid = "u" }, EventRecorder.Warning, "Failed", "exit code 12", [new EventReport("report-1")], CancellationToken.None);
        api.Requests.Last().ShouldStartWith("PATCH");
        api.Requests.Last().ShouldContain("\"count\":2");
    }

    [Fact]
    public async Task Another_reason_or_another_object_is_not_combined()
    {
        api.Answer = _ => Event(1, "10");
        var other = new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "b", NamespaceProperty = "ns", Uid = "v" } };
        for (var turn = 0; turn < 11; turn++)
            await recorder.RecordAsync(about, EventRecorder.Warning, "Failed", $"exit code {turn}", CancellationToken.None);
        await recorder.RecordAsync(about, EventRecorder.Warning, "NoImage", "exit code 11", CancellationToken.None);
        await recorder.RecordAsync(other, EventRecorder.Warning, "Failed", "exit code 11", CancellationToken.None);
        api.Requests.TakeLast(2).ShouldAllBe(request => request.StartsWith("POST", StringComparison.Ordinal) && !request.Contains("combined", StringComparison.Ordinal));
    }

    private static string MarkIn(string request) =>
        System.Text.Json.Nodes.JsonNode.Parse(request.Split(' ', 3)[2])!["metadata"]!["annotations"]!["flotta/counted-reports"]!.GetValue<string>();

    private static string Event(int count, string version, string reports = "") =>
        $$$"""{"metadata":{"name":"a.1","namespace":"ns","resourceVersion":"{{{version}}}","annotations":{"flotta/counted-reports":"{{{reports}}}"}},"involvedObject":{"name":"a"},"count":{{{count}}}}""";
}
