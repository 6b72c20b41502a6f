using System.Net;
using Flotta.EdgeApi;
using Flotta.EdgeApi.Certificates;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Registration;
using Flotta.EdgeApi.Sessions;
using Flotta.EdgeApi.Statuses;
using Flotta.Kube;
using Flotta.Resources;
using Flotta.Tests.Kube;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.EdgeApi.Registration;

/// <summary>The first use of a certificate is written down: until then whoever has the bootstrap certificate may ask for another one.</summary>
public sealed class ConfirmationTests : IAsyncDisposable
{
    private const string Stored = """
        {"metadata":{"name":"d","namespace":"default","resourceVersion":"1"},"spec":{},"status":{"certificate":{"serial":"01","confirmed":false}}}
        """;

    private readonly ScriptedApi api = new();
    private readonly FakeTimeProvider time = new();
    private readonly CancellationTokenSource stop = new();
    private readonly StatusWriter writer;
    private readonly RegistrationDesk desk;
    private readonly Session session;
    private readonly EdgeDevice device = new()
    {
        Metadata = new() { Name = "d", NamespaceProperty = "default" },
        Status = new() { Certificate = new CertificateStatus { Serial = "01", Confirmed = false } },
    };

    private Task running = Task.CompletedTask;

    public ConfirmationTests()
    {
        var (kube, options, loggers) = (api.Connect(time), new EdgeApiOptions { MaxPendingWrites = 1 }, NullLoggerFactory.Instance);
        var (fleet, sessions) = (new FleetCaches(kube, loggers, time), new SessionTable(options, time));
        writer = new StatusWriter(kube, fleet.Devices, options, loggers, time);
        desk = new RegistrationDesk(kube, fleet, sessions, new Authority(kube, options, loggers, time), new SigningRequests(), writer, options, loggers, time);
        session = sessions.For(new ObjectKey("default", "d"));
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        writer.Dispose();
        stop.Dispose();
    }

    [Fact]
    public async Task What_the_API_server_refused_is_written_with_a_later_request()
    {
        running = writer.RunAsync(stop.Token);
        api.Then(Stored).Then(HttpStatusCode.Forbidden, """{"kind":"Status","reason":"Forbidden","code":403}""");
        Use();
        time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.True(() => Writes == 1);
        Use();
        writer.Waiting.ShouldBe(0);
        api.Then(Stored).Then(Stored);
        time.Advance(TimeSpan.FromMinutes(1));
        Use();
        time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.True(() => Writes == 2);
        api.Requests.Last().ShouldContain("\"confirmed\":true");
    }

    [Fact]
    public async Task What_found_no_room_is_written_with_a_later_request()
    {
        writer.Apply(new ObjectKey("default", "other"), other => other);
        Use();
        writer.Waiting.ShouldBe(1);
        api.Answer = _ => null;
        running = writer.RunAsync(stop.Token);
        await Eventually.True(() => writer.Waiting == 0);
        time.Advance(TimeSpan.FromMinutes(1));
        Use();
        writer.Waiting.ShouldBe(1);
    }

    private int Writes => api.Requests.Count(request => request.StartsWith("PATCH", StringComparison.Ordinal));

    private void Use() => desk.Used(device, session, "01");
}
