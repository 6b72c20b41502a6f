using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Flotta.Agent;
using Flotta.Agent.Attached;
using Flotta.Agent.CommandLine;
using Flotta.Agent.Daemon;
using Flotta.Agent.Logging;
using Flotta.Wire;
using Flotta.Yggdrasil.Contract;
using Flotta.Yggdrasil.Grpc;
using Flotta.Yggdrasil.Transport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent;

/// <summary>The daemon between a server and workers, and our agent as one of those: real TLS, real sockets.</summary>
public sealed class DaemonTests : IAsyncDisposable
{
    private const string Web = """{"device_id":"dev1","version":"v1","configuration":{"heartbeat":{"period_seconds":60},"mounts":[]},"workloads":[{"name":"web","namespace":"default","specification":"containers: []\n"}]}""";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly PollOptions Polls = new() { Interval = TimeSpan.FromMilliseconds(50), RelaxedControlInterval = TimeSpan.FromSeconds(2) };
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-daemon-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly StringWriter _log = new();
    private EdgeStandIn _server = null!;
    private YggdrasilDaemon _daemon = null!;
    private Task _running = Task.CompletedTask;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_worker_sends_reaches_the_server_and_the_answer_the_worker(bool isAbstract)
    {
        await StartAsync("CN=dev1", isAbstract ? null : Path.Combine(_folder, "daemon.sock"));
        using var dispatcher = new GrpcChannel(_daemon.Address, TimeProvider.System);
        _server.Instead = async (seen, context) =>
        {
            if (seen.What != "question")
                return false;
            context.Response.Headers["X-One"] = "1";
            context.Response.StatusCode = 418;
            await context.Response.Body.WriteAsync("""{"short":true}"""u8.ToArray());
            return true;
        };
        var data = new WorkerData("id-1", new Dictionary<string, string>(StringComparer.Ordinal) { ["k"] = "v" }, "[1]"u8.ToArray(), "id-0", "question");
        var answer = WorkerResponse.Read(await dispatcher.CallAsync(Calls.Send, data.Write(), Patience, CancellationToken.None));
        using var document = JsonDocument.Parse(answer);
        document.RootElement.GetProperty("StatusCode").GetInt32().ShouldBe(418);
        document.RootElement.GetProperty("Body").GetRawText().ShouldBe("""{"short":true}""");
        document.RootElement.GetProperty("Metadata").GetProperty("X-One").GetString().ShouldBe("1");
        var sent = (await _server.SeesAsync("question")).Message;
        (sent.MessageId, sent.ResponseTo, sent.Metadata!["k"], sent.Content!.Value.GetRawText()).ShouldBe(("id-1", "id-0", "v", "[1]"));

        // Lines of JSON: the original sends them nowhere.
        await dispatcher.CallAsync(Calls.Send, (data with { Content = "{\"a\":1}\n{\"b\":2}\n"u8.ToArray(), Directive = "lines" }).Write(), Patience, CancellationToken.None);
        (await _server.SeesAsync("lines")).Message.Content!.Value.GetString().ShouldBe("{\"a\":1}\n{\"b\":2}\n");
    }

    [Fact]
    public async Task A_configuration_waits_for_its_worker_and_is_given_again_to_the_next()
    {
        await StartAsync("CN=dev1");
        _server.Configure(Web, "v1");
        await Until.TrueAsync(() => _log.ToString().Contains("no worker handles the directive device", StringComparison.Ordinal));
        await using (var first = await FakeWorker.AttachAsync(_daemon.Address, "device"))
        {
            await Until.TrueAsync(() => !first.Received.IsEmpty);
            first.Received.First().Directive.ShouldBe("device");
            Encoding.UTF8.GetString(first.Received.First().Content.Span).ShouldContain("\"v1\"");
        }

        await using var second = await FakeWorker.AttachAsync(_daemon.Address, "device");
        await Until.TrueAsync(() => !second.Received.IsEmpty);
        await Until.TrueAsync(() => _server.Requests.Any(seen => seen.What == "control/out" && seen.Body.Contains("\"device\":{}", StringComparison.Ordinal)), () => "connection-status names the handlers");
    }

    [Fact]
    public async Task A_disconnect_is_told_to_the_workers()
    {
        await StartAsync("CN=dev1");
        await using var worker = await FakeWorker.AttachAsync(_daemon.Address, "device");
        _server.Deleted = true;
        await Until.TrueAsync(() => worker.Events.Contains(WorkerEvent.ReceivedDisconnect));
    }

    [Fact]
    public async Task A_disconnect_is_told_to_a_worker_that_comes_later_until_it_has_heard_and_no_more()
    {
        await StartAsync("CN=dev1", prepare: server => server.Deleted = true);
        await Until.TrueAsync(() => _log.ToString().Contains("disconnects this device", StringComparison.Ordinal));
        await using var deaf = await FakeWorker.AttachAsync(_daemon.Address, "device", fails: 2);
        await Until.TrueAsync(() => deaf.Events.Count == 3, () => _log.ToString());
        await using var other = await FakeWorker.AttachAsync(_daemon.Address, "other");
        await Until.TrueAsync(() => other.Events.Contains(WorkerEvent.ReceivedDisconnect), () => _log.ToString());
        deaf.Events.ShouldBe([WorkerEvent.ReceivedDisconnect, WorkerEvent.ReceivedDisconnect, WorkerEvent.ReceivedDisconnect]);
    }

    [Fact]
    public async Task Certificates_are_read_anew_when_the_files_change()
    {
        await StartAsync("CN=dev1");
        var first = await _server.SeesAsync("control/in");
        var (certificate, key) = _server.Authority.Issue("CN=dev1");
        File.WriteAllText(Path.Combine(_folder, "cert.pem"), certificate);
        await Until.TrueAsync(() => _log.ToString().Contains("cannot be used (yet)", StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(_folder, "key.pem"), key);
        await _server.SeesAsync(seen => seen.What == "control/in" && seen.Certificate.SerialNumber != first.Certificate.SerialNumber);
    }

    [Fact]
    public async Task With_a_key_that_does_not_match_the_certificate_workers_are_served_and_the_server_is_asked_once_it_does()
    {
        string? right = null;
        await StartAsync("CN=dev1", prepare: server =>
        {
            var (certificate, key) = server.Authority.Issue("CN=dev1");
            right = key;
            File.WriteAllText(Path.Combine(_folder, "cert.pem"), certificate);
            File.WriteAllText(Path.Combine(_folder, "key.pem"), server.Authority.Issue("CN=dev1").Key);
        });
        _log.ToString().ShouldContain("cannot be used (yet)");
        await using var worker = await FakeWorker.AttachAsync(_daemon.Address, "device");
        using var dispatcher = new GrpcChannel(_daemon.Address, TimeProvider.System);
        var data = new WorkerData("id-1", new Dictionary<string, string>(StringComparer.Ordinal), "[1]"u8.ToArray(), "", "question").Write();
        (await Should.ThrowAsync<GrpcException>(dispatcher.CallAsync(Calls.Send, data, Patience, CancellationToken.None))).Status.ShouldBe(GrpcStatus.Unavailable);
        _server.Requests.ShouldBeEmpty();

        _server.Configure(Web, "v1");
        File.WriteAllText(Path.Combine(_folder, "key.pem"), right);
        await Until.TrueAsync(() => !worker.Received.IsEmpty, () => _log.ToString());
        await dispatcher.CallAsync(Calls.Send, data, Patience, CancellationToken.None);
        await _server.SeesAsync("question");
    }

    [Fact]
    public async Task A_server_that_wants_a_new_connection_at_each_look_gets_it_with_a_pause()
    {
        var time = new FakeTimeProvider(TestAuthority.Now);
        ConcurrentQueue<DateTimeOffset> looks = [];
        await StartAsync("CN=dev1", prepare: server => looks = server.Reconnect(time), time: time);
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            return looks.Count >= 4;
        });
        looks.Zip(looks.Skip(1), (before, after) => after - before).ShouldAllBe(gap => gap >= TimeSpan.FromSeconds(0.5));
    }

    [Fact]
    public async Task A_worker_in_another_language_is_started_fed_and_heard()
    {
        var sample = Path.Combine(Repository.Root, "samples", "echo-worker", "worker.py");
        Directory.CreateDirectory(Path.Combine(_folder, "workers"));
        File.WriteAllText(Path.Combine(_folder, "workers", "echo.toml"), $"exec = \"/usr/bin/python3 {sample}\"\nprotocol = \"grpc\"\nenv = [\"PYTHONUNBUFFERED=1\"]\n");
        var sent = 0;
        await StartAsync("CN=dev1", prepare: server => server.Instead = async (seen, context) =>
        {
            if (seen.What != "data/in")
                return false;
            if (!_log.ToString().Contains("serving echo of dev1", StringComparison.Ordinal) || Interlocked.Exchange(ref sent, 1) == 1)
                return true;
            await context.Response.WriteAsync("""{"type":"data","directive":"echo","message_id":"m-1","version":1,"metadata":{"k":"v"},"content":{"hello":"world"}}""");
            return true;
        });
        var echoed = (await _server.SeesAsync("echoed")).Message;
        (echoed.ResponseTo, echoed.Metadata!["k"], echoed.Content!.Value.GetRawText()).ShouldBe(("m-1", "v", """{"hello":"world"}"""));
        await Until.TrueAsync(() => _log.ToString().Contains("echoed m-1: {\"StatusCode\":200", StringComparison.Ordinal), () => _log.ToString());
        _server.Deleted = true;
        await Until.TrueAsync(() => _log.ToString().Contains("event 1", StringComparison.Ordinal), () => _log.ToString());
    }

    [Fact]
    public async Task Our_agent_as_a_worker_enrols_registers_gets_its_configuration_and_leaves()
    {
        await StartAsync("SERIALNUMBER=x, CN=register, O=flotta-operator");
        _server.Configure(Web, "v1");
        var workloads = new FakeWorkloads();
        var before = File.ReadAllText(Path.Combine(_folder, "cert.pem"));
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["YGG_SOCKET_ADDR"] = _daemon.Address.WithScheme, ["YGG_CLIENT_ID"] = "dev1" };
        await using var agent = new AttachedAgent(environment.GetValueOrDefault, Log(), TimeProvider.System);
        var options = new AgentOptions { Server = "", Verb = Verb.Worker, DataDirectory = Path.Combine(_folder, "worker") };
        var attached = Task.Run(() => agent.RunAsync(options, (_, _) => workloads, _stop.Token));
        await Until.TrueAsync(() => workloads.Applied.LastOrDefault()?.Workloads.Count == 1 || attached.IsFaulted, () => _log.ToString());
        var beat = await _server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Version == "v1");
        beat.Certificate.Subject.ShouldContain("CN=dev1");
        File.ReadAllText(Path.Combine(_folder, "cert.pem")).ShouldNotBe(before);

        _server.Deleted = true;
        await Until.TrueAsync(() => workloads.Removals == 1 && File.ReadAllText(Path.Combine(_folder, "cert.pem")).Trim() == before.Trim(), () => _log.ToString());
        File.Exists(Path.Combine(_folder, "worker", "identity.pem")).ShouldBeFalse();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ContinueWith(static _ => { }, TaskScheduler.Default);
        _daemon?.Dispose();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private StderrLog Log() => new(LogLevel.Debug, TimeProvider.System, TextWriter.Synchronized(_log));

    private async Task StartAsync(string subject, string? socket = null, Action<EdgeStandIn>? prepare = null, TimeProvider? time = null)
    {
        _server = await EdgeStandIn.StartAsync();
        var (certificate, key) = _server.Authority.Issue(subject);
        File.WriteAllText(Path.Combine(_folder, "cert.pem"), certificate);
        File.WriteAllText(Path.Combine(_folder, "key.pem"), key);
        File.WriteAllText(Path.Combine(_folder, "ca.pem"), _server.Authority.Pem);
        prepare?.Invoke(_server);
        var options = new AgentOptions
        {
            Verb = Verb.Yggdrasil,
            Server = _server.Address,
            ClientId = "dev1",
            CertFile = Path.Combine(_folder, "cert.pem"),
            KeyFile = Path.Combine(_folder, "key.pem"),
            CaRoot = [Path.Combine(_folder, "ca.pem")],
            DataDirectory = Path.Combine(_folder, "data"),
            ConfigFolder = _folder,
            SocketAddress = socket,
            TagsFile = Path.Combine(_folder, "tags.toml"),
        };
        _daemon = new YggdrasilDaemon(options, Log(), time ?? TimeProvider.System, Polls);
        _running = Task.Run(() => _daemon.RunAsync(_stop.Token));
        using var channel = new GrpcChannel(_daemon.Address, TimeProvider.System);
        for (var tries = 0; ; tries++)
        {
            try
            {
                DaemonConfig.Read(await channel.CallAsync(Calls.GetConfig, [], Patience, CancellationToken.None)).ClientId.ShouldBe("dev1");
                return;
            }
            catch (GrpcException) when (tries < 200)
            {
                await Task.Delay(10);
            }
        }
    }

    private sealed class FakeWorker : IAsyncDisposable
    {
        private GrpcListener _listener = null!;

        public ConcurrentQueue<WorkerData> Received { get; } = [];

        public ConcurrentQueue<WorkerEvent> Events { get; } = [];

        public static async Task<FakeWorker> AttachAsync(SocketAddress daemon, string handler, int fails = 0)
        {
            var worker = new FakeWorker();
            using var channel = new GrpcChannel(daemon, TimeProvider.System);
            var request = new WorkerRegistration(handler, Environment.ProcessId, DetachedContent: false, new Dictionary<string, string>(StringComparer.Ordinal));
            var registered = WorkerRegistered.Read(await channel.CallAsync(Calls.Register, request.Write(), Patience, CancellationToken.None));
            registered.Registered.ShouldBeTrue();
            worker._listener = await GrpcListener.StartAsync(
                SocketAddress.Parse(registered.Address)!,
                new Dictionary<string, GrpcHandler>(StringComparer.Ordinal)
                {
                    [Calls.Deliver] = (message, _, _) =>
                    {
                        worker.Received.Enqueue(WorkerData.Read(message));
                        return Task.FromResult(WorkerResponse.Write([]));
                    },
                    [Calls.NotifyEvent] = (message, _, _) =>
                    {
                        worker.Events.Enqueue(EventNotification.Read(message));
                        if (worker.Events.Count <= fails)
                            throw new GrpcException(GrpcStatus.Unavailable, "not now");
                        return Task.FromResult(Array.Empty<byte>());
                    },
                },
                NullLogger.Instance,
                CancellationToken.None);
            return worker;
        }

        public ValueTask DisposeAsync() => _listener.DisposeAsync();
    }
}
