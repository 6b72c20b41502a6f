using System.Collections.Concurrent;
using Flotta.Agent.Attached;
using Flotta.Agent.Files;
using Flotta.Wire;
using Flotta.Yggdrasil.Contract;
using Flotta.Yggdrasil.Grpc;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent;

public sealed class DaemonUplinkTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("flotta-uplink-").FullName;
    private readonly DataDirectory _folder;
    private readonly FakeTimeProvider _time = new();
    private readonly DaemonUplink _uplink;

    public DaemonUplinkTests()
    {
        _folder = DataDirectory.Open(_path);
        _uplink = new DaemonUplink(new GrpcChannel(SocketAddress.Random("@flotta-nobody-"), _time), new DaemonConfig(), _folder, NullLogger<DaemonUplink>.Instance, _time);
    }

    [Fact]
    public async Task A_configuration_that_cannot_be_kept_is_tried_again_until_it_can()
    {
        var disk = new Disk { IsFull = true };
        using var stop = new CancellationTokenSource();
        var running = _uplink.RunAsync(disk, "dev1", stop.Token);
        await DeliverAsync("first");
        await Until.TrueAsync(() => Pass() && disk.Asked.Count >= 3);
        disk.IsFull = false;
        await Until.TrueAsync(() => Pass() && disk.Kept.Count == 1);
        await DeliverAsync("second");
        await Until.TrueAsync(() => disk.Kept.Count == 2);
        disk.Kept.ShouldBe(["first", "second"]);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running);
    }

    [Fact]
    public async Task One_that_cannot_be_kept_is_not_tried_again_when_a_newer_one_has_come()
    {
        var disk = new Disk { IsFull = true };
        using var stop = new CancellationTokenSource();
        var running = _uplink.RunAsync(disk, "dev1", stop.Token);
        await DeliverAsync("first");
        await Until.TrueAsync(() => disk.Asked.Count == 1);
        disk.IsFull = false;
        await DeliverAsync("second");
        // No time passes.
        await Until.TrueAsync(() => disk.Kept.Count == 1);
        disk.Asked.ShouldBe(["first", "second"]);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running);
    }

    public void Dispose()
    {
        _uplink.Dispose();
        _folder.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    private bool Pass()
    {
        _time.Advance(TimeSpan.FromSeconds(30));
        return true;
    }

    private Task DeliverAsync(string id)
    {
        var data = new WorkerData(id, new Dictionary<string, string>(StringComparer.Ordinal), "{}"u8.ToArray(), "", Directives.Device);
        return _uplink.Calls[Calls.Deliver](data.Write(), new PeerCredentials(Environment.ProcessId, 0), CancellationToken.None);
    }

    private sealed class Disk : IDataReceiver
    {
        public bool IsFull { get; set; }

        public string? Tag => null;

        public ConcurrentQueue<string> Asked { get; } = [];

        public ConcurrentQueue<string> Kept { get; } = [];

        public Task<Receipt> ReceiveAsync(ReadOnlyMemory<byte> body, string? tag, CancellationToken cancellationToken)
        {
            var isFull = IsFull;
            var id = WireJson.Read(body.Span, WireJson.Types.Message).MessageId!;
            Asked.Enqueue(id);
            if (!isFull)
                Kept.Enqueue(id);
            return Task.FromResult(isFull ? Receipt.Failed : Receipt.Taken);
        }
    }
}
