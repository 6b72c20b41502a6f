using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Flotta.Yggdrasil.Grpc;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Yggdrasil.Grpc;

/// <summary>The listener's HTTP/2, frame by frame: what libraries do rarely, and what none does.</summary>
public sealed class Http2Tests : IAsyncLifetime
{
    private static readonly byte[] Preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    // POST /a.B/C, nothing else.
    private static readonly byte[] Call = [0x83, 0x86, 0x04, 0x06, .. "/a.B/C"u8];
    private readonly SocketAddress _address = SocketAddress.Random("@flotta-h2-");
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private GrpcListener _listener = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _listener = await GrpcListener.StartAsync(
        _address,
        new Dictionary<string, GrpcHandler>(StringComparer.Ordinal)
        {
            ["/a.B/C"] = (message, _, _) => Task.FromResult(message.ToArray()),
            ["/a.B/W"] = async (_, _, cancellationToken) =>
            {
                using var registration = cancellationToken.Register(_cancelled.SetResult);
                _started.SetResult();
                await Task.Delay(Timeout.Infinite, cancellationToken);
                return [];
            },
        },
        NullLogger.Instance,
        CancellationToken.None);

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    [Fact]
    public async Task Padding_priorities_headers_in_pieces_and_data_in_pieces_are_understood()
    {
        await using var peer = await Peer.ConnectAsync(_address);
        // Three bytes of padding, a priority, and the block over three frames.
        await peer.SendAsync(FrameKind.Headers, 0x8 | 0x20, 1, [3, 0, 0, 0, 0, 16, .. Call[..2], 0, 0, 0]);
        await peer.SendAsync(FrameKind.Continuation, 0, 1, Call[2..5]);
        await peer.SendAsync(FrameKind.Continuation, 0x4, 1, Call[5..]);
        var message = GrpcFrame.Write("hello"u8);
        await peer.SendAsync(FrameKind.Priority, 0, 1, [0, 0, 0, 0, 5]);
        await peer.SendAsync((FrameKind)0xfa, 0xff, 7, [1, 2, 3]);
        await peer.SendAsync(FrameKind.Data, 0x8, 1, [2, .. message[..4], 0, 0]);
        await peer.SendAsync(FrameKind.Data, 0, 1, message[4..]);
        await peer.SendAsync(FrameKind.Data, 0x1, 1, []);
        (await peer.AnswerAsync(1)).ShouldBe((":status: 200|content-type: application/grpc", "hello", "grpc-status: 0"));
    }

    [Fact]
    public async Task A_request_may_end_with_trailers()
    {
        await using var peer = await Peer.ConnectAsync(_address);
        await peer.SendAsync(FrameKind.Headers, 0x4, 1, Call);
        await peer.SendAsync(FrameKind.Data, 0, 1, GrpcFrame.Write("hello"u8));
        await peer.SendAsync(FrameKind.Headers, 0x4 | 0x1, 1, [0x00, 1, (byte)'x', 1, (byte)'y']);
        (await peer.AnswerAsync(1)).Body.ShouldBe("hello");
    }

    [Fact]
    public async Task A_ping_and_settings_are_acknowledged()
    {
        await using var peer = await Peer.ConnectAsync(_address);
        await peer.SendAsync(FrameKind.Ping, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
        (await peer.FrameAsync(FrameKind.Settings, frame => frame.Has(FrameFlags.Ack))).Payload.ShouldBeEmpty();
        (await peer.FrameAsync(FrameKind.Ping, frame => frame.Has(FrameFlags.Ack))).Payload.ShouldBe([1, 2, 3, 4, 5, 6, 7, 8]);
    }

    [Fact]
    public async Task No_more_is_sent_than_the_peer_takes_and_the_rest_when_it_takes_more()
    {
        await using var peer = await Peer.ConnectAsync(_address);
        // 10 bytes for each stream from now on.
        await peer.SendAsync(FrameKind.Settings, 0, 0, [0, 4, 0, 0, 0, 10]);
        await peer.SendAsync(FrameKind.Headers, 0x4, 1, Call);
        await peer.SendAsync(FrameKind.Data, 0x1, 1, GrpcFrame.Write(Encoding.ASCII.GetBytes(new string('x', 50))));
        (await peer.FrameAsync(FrameKind.Data)).Payload.Length.ShouldBe(10);
        await peer.SendAsync(FrameKind.WindowUpdate, 0, 1, [0, 0, 0, 5]);
        (await peer.FrameAsync(FrameKind.Data)).Payload.Length.ShouldBe(5);
        // Taken back below zero, and granted again.
        await peer.SendAsync(FrameKind.Settings, 0, 0, [0, 4, 0, 0, 0, 0]);
        await peer.SendAsync(FrameKind.WindowUpdate, 0, 1, [0, 0, 0, 12]);
        (await peer.FrameAsync(FrameKind.Data)).Payload.Length.ShouldBe(2);
        await peer.SendAsync(FrameKind.Settings, 0, 0, [0, 4, 0, 1, 0, 0]);
        (await peer.FrameAsync(FrameKind.Data)).Payload.Length.ShouldBe(55 - 17);
        (await peer.FrameAsync(FrameKind.Headers)).Frame.Has(FrameFlags.EndStream).ShouldBeTrue();
    }

    [Fact]
    public async Task One_that_is_given_up_is_cancelled_and_the_others_go_on()
    {
        await using var peer = await Peer.ConnectAsync(_address);
        await peer.SendAsync(FrameKind.Headers, 0x4, 1, [.. Call[..^1], (byte)'W']);
        await peer.SendAsync(FrameKind.Data, 0x1, 1, GrpcFrame.Write([]));
        await _started.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
        await peer.SendAsync(FrameKind.Headers, 0x4, 3, Call); // never completed
        await peer.SendAsync(FrameKind.Reset, 0, 3, [0, 0, 0, 8]);
        await peer.SendAsync(FrameKind.Data, 0, 3, [1]); // was on its way
        await peer.SendAsync(FrameKind.Reset, 0, 1, [0, 0, 0, 8]);
        await _cancelled.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
        await peer.SendAsync(FrameKind.Headers, 0x4, 5, Call);
        await peer.SendAsync(FrameKind.Data, 0x1, 5, GrpcFrame.Write("hello"u8));
        (await peer.AnswerAsync(5)).Body.ShouldBe("hello");
    }

    [Fact]
    public async Task A_call_is_cancelled_when_its_peer_is_gone()
    {
        await using (var peer = await Peer.ConnectAsync(_address))
        {
            await peer.SendAsync(FrameKind.Headers, 0x4, 1, [.. Call[..^1], (byte)'W']);
            await peer.SendAsync(FrameKind.Data, 0x1, 1, GrpcFrame.Write([]));
            await _started.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
        }

        await _cancelled.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
    }

    [Fact]
    public async Task More_streams_than_offered_are_refused_one_by_one()
    {
        await using var peer = await Peer.ConnectAsync(_address);
        for (var stream = 1; stream <= 203; stream += 2)
            await peer.SendAsync(FrameKind.Headers, 0x4, stream, Call);
        (await peer.FrameAsync(FrameKind.Reset)).ShouldSatisfyAllConditions(
            refused => refused.Frame.Stream.ShouldBe(201),
            refused => refused.Payload[3].ShouldBe((byte)7));
        await peer.SendAsync(FrameKind.Data, 0x1, 1, GrpcFrame.Write("hello"u8));
        (await peer.AnswerAsync(1)).Body.ShouldBe("hello");
    }

    public static TheoryData<string, int, byte[]> Broken => new()
    {
        { "a stream of an even number", 1, Frame(FrameKind.Headers, 0x5, 2, Call) },
        { "headers of no stream", 1, Frame(FrameKind.Headers, 0x5, 0, Call) },
        { "data of a stream that never was", 1, Frame(FrameKind.Data, 0, 1, [1]) },
        { "data of no stream", 1, Frame(FrameKind.Data, 0, 0, [1]) },
        { "a continuation of nothing", 1, Frame(FrameKind.Continuation, 4, 1, Call) },
        { "headers that something interrupts", 1, [.. Frame(FrameKind.Headers, 0, 1, Call[..3]), .. Frame(FrameKind.Ping, 0, 0, new byte[8])] },
        { "headers of two streams at once", 1, [.. Frame(FrameKind.Headers, 0, 1, Call[..3]), .. Frame(FrameKind.Continuation, 4, 3, Call[3..])] },
        { "headers that do not end", 11, [.. Frame(FrameKind.Headers, 0, 1, new byte[16000]), .. Frame(FrameKind.Continuation, 0, 1, new byte[16000]), .. Frame(FrameKind.Continuation, 0, 1, new byte[16000])] },
        { "a promise", 1, Frame(FrameKind.PushPromise, 4, 1, new byte[8]) },
        { "settings of a stream", 1, Frame(FrameKind.Settings, 0, 1, []) },
        { "settings that are cut off", 6, Frame(FrameKind.Settings, 0, 0, new byte[5]) },
        { "a window beyond all", 3, Frame(FrameKind.Settings, 0, 0, [0, 4, 0x80, 0, 0, 0]) },
        { "a window that grows by nothing", 3, Frame(FrameKind.WindowUpdate, 0, 0, new byte[4]) },
        { "a window that overflows", 3, Frame(FrameKind.WindowUpdate, 0, 0, [0x7f, 0xff, 0xff, 0xff]) },
        { "a window that is cut off", 6, Frame(FrameKind.WindowUpdate, 0, 0, [1]) },
        { "a ping that is cut off", 6, Frame(FrameKind.Ping, 0, 0, [1]) },
        { "a reset of nothing", 1, Frame(FrameKind.Reset, 0, 9, new byte[4]) },
        { "more padding than there is", 1, Frame(FrameKind.Headers, 0xd, 1, [200, .. Call]) },
        { "a priority that is cut off", 6, Frame(FrameKind.Headers, 0x25, 1, [1, 2]) },
        { "trailers that do not end", 1, [.. Frame(FrameKind.Headers, 4, 1, Call), .. Frame(FrameKind.Headers, 4, 1, Call)] },
        { "headers that mean nothing", 9, Frame(FrameKind.Headers, 5, 1, [0x80]) },
        { "a frame that is too large", 6, [0x00, 0x40, 0x01, 0, 0, 0, 0, 0, 1] },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task Whoever_breaks_the_rules_is_told_and_let_go(string what, int error, byte[] frames)
    {
        await using var peer = await Peer.ConnectAsync(_address);
        await peer.WriteAsync(frames);
        (await peer.FrameAsync(FrameKind.GoAway)).Payload[7].ShouldBe((byte)error, what);
        (await peer.IsClosedAsync()).ShouldBeTrue(what);
        await using var other = await Peer.ConnectAsync(_address);
        await other.SendAsync(FrameKind.Headers, 0x4, 1, Call);
        await other.SendAsync(FrameKind.Data, 0x1, 1, GrpcFrame.Write("hello"u8));
        (await other.AnswerAsync(1)).Body.ShouldBe("hello");
    }

    [Fact]
    public async Task Whatever_else_is_sent_ends_a_connection_at_worst()
    {
        var random = new Random(Seed: 11);
        for (var turn = 0; turn < 300; turn++)
        {
            await using var peer = await Peer.ConnectAsync(_address, greets: turn % 3 != 0);
            try
            {
                for (var frame = 0; frame < 20; frame++)
                {
                    var payload = new byte[random.Next(80)];
                    random.NextBytes(payload);
                    await peer.SendAsync((FrameKind)random.Next(11), (byte)random.Next(256), random.Next(4), payload);
                }
            }
            catch (IOException)
            {
                // Let go meanwhile.
            }
        }

        await using var other = await Peer.ConnectAsync(_address);
        await other.SendAsync(FrameKind.Headers, 0x4, 1, Call);
        await other.SendAsync(FrameKind.Data, 0x1, 1, GrpcFrame.Write("hello"u8));
        (await other.AnswerAsync(1)).Body.ShouldBe("hello");
    }

    [Fact]
    public async Task Another_user_is_not_talked_to()
    {
        Assert.SkipWhen(Environment.UserName != "root", "only root can become another user");
        // An abstract socket has no permissions: everybody gets as far as this.
        const string Script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect('\\0'+sys.argv[1]); s.settimeout(20)\ntry: s.send(b'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n'); print(len(s.recv(100)))\nexcept ConnectionError: print(0)";
        using var process = Process.Start(new ProcessStartInfo("setpriv", ["--reuid", "65534", "--clear-groups", "/usr/bin/python3", "-c", Script, _address.Text[1..]]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = await process.StandardOutput.ReadToEndAsync(Cancelled);
        said.Trim().ShouldBe("0", await process.StandardError.ReadToEndAsync(Cancelled));
    }

    private static byte[] Frame(FrameKind kind, byte flags, int stream, byte[] payload) => Http2Frame.Write(kind, (FrameFlags)flags, stream, payload);

    private sealed class Peer(NetworkStream stream) : IAsyncDisposable
    {
        private readonly HeaderBlock _headers = new();

        public static async Task<Peer> ConnectAsync(SocketAddress address, bool greets = true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(address.EndPoint(), Cancelled);
            var peer = new Peer(new NetworkStream(socket, ownsSocket: true));
            if (greets)
                await peer.WriteAsync([.. Preface, .. Frame(FrameKind.Settings, 0, 0, [])]);
            return peer;
        }

        public Task SendAsync(FrameKind kind, byte flags, int id, byte[] payload) => WriteAsync(Frame(kind, flags, id, payload));

        public Task WriteAsync(byte[] octets) => stream.WriteAsync(octets, Cancelled).AsTask();

        public async Task<(Http2Frame Frame, byte[] Payload)> FrameAsync(FrameKind kind, Func<Http2Frame, bool>? which = null)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
            limit.CancelAfter(TimeSpan.FromSeconds(20));
            while (true)
            {
                var header = new byte[Http2Frame.HeaderLength];
                await stream.ReadExactlyAsync(header, limit.Token);
                var frame = Http2Frame.Read(header);
                var payload = new byte[frame.Length];
                await stream.ReadExactlyAsync(payload, limit.Token);
                if (frame.Kind == kind && which?.Invoke(frame) != false)
                    return (frame, payload);
            }
        }

        public async Task<(string Headers, string Body, string Trailers)> AnswerAsync(int id)
        {
            var headers = await FrameAsync(FrameKind.Headers, frame => frame.Stream == id);
            var data = await FrameAsync(FrameKind.Data, frame => frame.Stream == id);
            var trailers = await FrameAsync(FrameKind.Headers, frame => frame.Stream == id);
            trailers.Frame.Has(FrameFlags.EndStream).ShouldBeTrue();
            BinaryPrimitives.ReadInt32BigEndian(data.Payload.AsSpan(1)).ShouldBe(data.Payload.Length - 5);
            return (Fields(headers.Payload), Encoding.UTF8.GetString(data.Payload.AsSpan(5)), Fields(trailers.Payload));
        }

        public async Task<bool> IsClosedAsync()
        {
            try
            {
                return await stream.ReadAsync(new byte[1], Cancelled) == 0;
            }
            catch (IOException)
            {
                return true;
            }
        }

        public ValueTask DisposeAsync() => stream.DisposeAsync();

        private string Fields(byte[] block) => string.Join('|', _headers.Read(block).Select(field => $"{field.Name}: {field.Value}"));
    }
}
