using System.Net;
using Flotta.EdgeApi;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Liveness;
using Flotta.EdgeApi.Sessions;
using Flotta.EdgeApi.Statuses;
using Flotta.Kube;
using Flotta.Tests.Kube;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.EdgeApi;

public sealed class LivenessLoopTests : IAsyncDisposable
{
    private readonly ScriptedApi api = new();
    private readonly FakeTimeProvider time = new();
    private readonly CancellationTokenSource stop = new();
    private readonly SessionTable sessions;
    private readonly FleetCaches fleet;
    private readonly StatusWriter writer;
    private readonly LivenessLoop liveness;
    private Task running = Task.CompletedTask;

    public LivenessLoopTests()
    {
        var (kube, options, loggers) = (api.Connect(time), new EdgeApiOptions { Replica = "here" }, NullLoggerFactory.Instance);
        sessions = new SessionTable(options, time);
        fleet = new FleetCaches(kube, loggers, time);
        writer = new StatusWriter(kube, fleet.Devices, options, loggers, time);
        liveness = new LivenessLoop(fleet, sessions, writer, options, loggers, time);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        writer.Dispose();
        stop.Dispose();
    }

    [Fact]
    public async Task That_a_device_is_silent_is_written_again_when_it_was_refused()
    {
        await RunAsync(Device("a", "True"));
        api.Then(HttpStatusCode.Forbidden, """{"kind":"Status","reason":"Forbidden","code":403}""");
        api.Answer = _ => Device("a", "False");
        await UntilAsync(() => Writes.Length == 2);
        Writes[1].ShouldContain("\"status\":\"False\"");
    }

    [Fact]
    public async Task A_device_that_cannot_be_judged_keeps_nobody_from_hearing_of_the_others()
    {
        await RunAsync(Device("a", "True"), Damaged, Device("z", "True"));
        api.Answer = request => Device(request.RequestUri!.AbsolutePath.Contains("/a/", StringComparison.Ordinal) ? "a" : "z", "False");
        await UntilAsync(() => Writes.Length == 2);
        Writes.ShouldAllBe(write => write.Contains("\"status\":\"False\"", StringComparison.Ordinal));
    }

    private async Task RunAsync(params string[] devices)
    {
        api.Then($$"""{"metadata":{"resourceVersion":"10"},"items":[{{string.Join(',', devices)}}]}""");
        using var listed = new CancellationTokenSource();
        var list = fleet.Devices.RunAsync(listed.Token);
        await fleet.Devices.WaitForSyncAsync(CancellationToken.None);
        await Eventually.True(() => api.Requests.Count == 2);
        await listed.CancelAsync();
        await list;
        foreach (var device in fleet.Devices.All)
        {
            var session = sessions.For(ObjectKey.Of(device));
            (session.IsConnected, session.ConnectedWritten) = (true, time.GetTimestamp());
        }

        running = Task.WhenAll(writer.RunAsync(stop.Token), liveness.RunAsync(stop.Token));
    }

    private string[] Writes => [.. api.Requests.Where(request => request.StartsWith("PATCH", StringComparison.Ordinal))];

    private Task UntilAsync(Func<bool> condition) => Eventually.True(() =>
    {
        time.Advance(TimeSpan.FromSeconds(2));
        return condition();
    });

    private const string Damaged = """
        {"metadata":{"name":"damaged","namespace":"default","resourceVersion":"1"},"spec":{},"status":{"connectedTo":"here","conditions":[null]}}
        """;

    private static string Device(string name, string connected) => $$$"""
        {"metadata":{"name":"{{{name}}}","namespace":"default","resourceVersion":"1"},"spec":{"heartbeat":{"periodSeconds":1}},
         "status":{"connectedTo":"here","conditions":[{"type":"Connected","status":"{{{connected}}}","reason":"r","message":"m","lastTransitionTime":"2026-01-02T03:04:05Z"}]}}
        """;
}
