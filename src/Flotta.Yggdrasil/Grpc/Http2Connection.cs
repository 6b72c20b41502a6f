using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Flotta.Yggdrasil.Grpc;

/// <summary>What a call ends with: a message, or the reason why there is none.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct GrpcAnswer(byte[]? Message, GrpcStatus Status, string? Problem);

/// <summary>
/// The serving side of one HTTP/2 connection (RFC 9113), as far as unary calls need it: every stream is a request with a body, answered by headers, one message and trailers. Bounded in
/// all that a peer can make grow. Whoever it is has been let in before.
/// </summary>
internal sealed class Http2Connection(Stream transport, Func<string, Stream, CancellationToken, Task<GrpcAnswer>> call) : IAsyncDisposable
{
    private const int MostStreams = 100;
    private const int StreamWindow = 1 << 20;
    private const int ConnectionWindow = 4 << 20;
    private const int FirstWindow = 65535;
    private const long LargestWindow = int.MaxValue;

    // A peer that does not read what it asked for.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();
    private readonly Dictionary<int, Http2Stream> _streams = [];
    private readonly HeaderBlock _headers = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private TaskCompletionSource _opened = NewSignal();
    private long _window = FirstWindow;
    private int _streamWindow = FirstWindow;
    private int _last;

    /// <summary>Until the peer closes, breaks the rules, or the token says so.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = cancellationToken.Register(_end.Cancel);
        try
        {
            await ReadAsync();
        }
        catch (Http2Exception broken)
        {
            await GoAwayAsync(broken);
        }
        catch (Exception exception) when (exception is IOException or EndOfStreamException or OperationCanceledException)
        {
            // The peer is gone, or we are.
        }
        finally
        {
            await _end.CancelAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await transport.DisposeAsync();
        lock (_lock)
        {
            foreach (var id in _streams.Keys.ToList())
                GiveUp(id);
        }
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[Http2Frame.LongestPayload];
        await transport.ReadExactlyAsync(buffer.AsMemory(0, Preface.Length), _end.Token);
        if (!buffer.AsSpan(0, Preface.Length).SequenceEqual(Preface))
            throw new Http2Exception(Http2Error.Protocol, "this is not HTTP/2");
        await WriteAsync(Settings((3, MostStreams), (4, StreamWindow), (6, HeaderBlock.MostBytes)));
        await WriteAsync(Http2Frame.Write(FrameKind.WindowUpdate, 0, ConnectionWindow - FirstWindow));
        while (true)
        {
            var (frame, payload) = await NextAsync(buffer);
            if (frame.Kind == FrameKind.Headers)
                await OpenAsync(frame, await BlockAsync(frame, Inside(frame, payload), buffer));
            else
                await TakeAsync(frame, payload);
        }
    }

    private async Task<(Http2Frame Frame, ReadOnlyMemory<byte> Payload)> NextAsync(byte[] buffer)
    {
        await transport.ReadExactlyAsync(buffer.AsMemory(0, Http2Frame.HeaderLength), _end.Token);
        var frame = Http2Frame.Read(buffer);
        if (frame.Length > Http2Frame.LongestPayload)
            throw new Http2Exception(Http2Error.FrameSize, $"a frame of {frame.Length} bytes");
        await transport.ReadExactlyAsync(buffer.AsMemory(0, frame.Length), _end.Token);
        return (frame, buffer.AsMemory(0, frame.Length));
    }

    /// <summary>Headers, and what of them follows in frames of their own; nothing else may come between.</summary>
    private async Task<byte[]> BlockAsync(Http2Frame first, ReadOnlyMemory<byte> part, byte[] buffer)
    {
        var block = part.ToArray();
        for (var frame = first; !frame.Has(FrameFlags.EndHeaders);)
        {
            (frame, var more) = await NextAsync(buffer);
            if (frame.Kind != FrameKind.Continuation || frame.Stream != first.Stream)
                throw new Http2Exception(Http2Error.Protocol, "headers that are interrupted");
            if (block.Length + more.Length > HeaderBlock.MostBytes)
                throw new Http2Exception(Http2Error.EnhanceYourCalm, "headers that do not end");
            block = [.. block, .. more.Span];
        }

        return block;
    }

    private async Task OpenAsync(Http2Frame frame, byte[] block)
    {
        var fields = _headers.Read(block);
        Expect(frame.Stream % 2 == 1, Http2Error.Protocol, "a stream of a number that is not the peer's");
        Http2Stream? stream;
        lock (_lock)
            stream = _streams.GetValueOrDefault(frame.Stream);
        if (stream is not null)
        {
            // Trailers of a request: they can only end it.
            Expect(frame.Has(FrameFlags.EndStream), Http2Error.Protocol, "trailers that do not end a request");
            Complete(stream);
            return;
        }

        // One that ended already: its rest is on the way.
        if (frame.Stream <= _last)
            return;
        _last = frame.Stream;
        lock (_lock)
        {
            if (_streams.Count < MostStreams)
            {
                stream = new Http2Stream(frame.Stream, fields.FirstOrDefault(field => field.Name == ":path").Value ?? "", _streamWindow, _end.Token);
                _streams.Add(stream.Id, stream);
            }
        }

        if (stream is null)
            await WriteAsync(Http2Frame.Write(FrameKind.Reset, frame.Stream, (int)Http2Error.RefusedStream));
        else if (frame.Has(FrameFlags.EndStream))
            Complete(stream);
    }

    private async Task TakeAsync(Http2Frame frame, ReadOnlyMemory<byte> payload)
    {
        switch (frame.Kind)
        {
            case FrameKind.Data:
                await DataAsync(frame, payload);
                break;
            case FrameKind.Reset:
                Expect(payload.Length == 4 && frame.Stream != 0 && frame.Stream <= _last, Http2Error.Protocol, "a reset of nothing");
                GiveUp(frame.Stream);
                break;
            case FrameKind.Settings:
                Expect(frame.Stream == 0, Http2Error.Protocol, "settings of a stream");
                await SetAsync(frame, payload);
                break;
            case FrameKind.Ping:
                Expect(payload.Length == 8, Http2Error.FrameSize, "a ping of another size");
                if (!frame.Has(FrameFlags.Ack))
                    await WriteAsync(Http2Frame.Write(FrameKind.Ping, FrameFlags.Ack, 0, payload.Span));
                break;
            case FrameKind.WindowUpdate:
                Expect(payload.Length == 4, Http2Error.FrameSize, "a window of another size");
                Grant(frame.Stream, BinaryPrimitives.ReadInt32BigEndian(payload.Span) & int.MaxValue);
                break;
            case FrameKind.Continuation:
            case FrameKind.PushPromise:
                throw new Http2Exception(Http2Error.Protocol, $"a {frame.Kind} that nothing led to");
            default:
                // Priorities, a good-bye, and kinds that came after us mean nothing here.
                break;
        }
    }

    private async Task DataAsync(Http2Frame frame, ReadOnlyMemory<byte> payload)
    {
        Expect(frame.Stream != 0 && frame.Stream <= _last, Http2Error.Protocol, "data of nothing");
        Http2Stream? stream;
        lock (_lock)
            stream = _streams.GetValueOrDefault(frame.Stream);
        if (payload.Length > 0)
            await WriteAsync(Http2Frame.Write(FrameKind.WindowUpdate, 0, payload.Length));
        // Of a call that was answered or given up already, the rest is on the way.
        if (stream is null || stream.IsComplete)
            return;
        stream.Take(Inside(frame, payload).Span);
        // One byte too many is taken in, so that the call can say what is wrong.
        if (frame.Has(FrameFlags.EndStream) || stream.Received > GrpcFrame.LargestMessage + 64)
            Complete(stream);
        else if (payload.Length > 0)
            await WriteAsync(Http2Frame.Write(FrameKind.WindowUpdate, frame.Stream, payload.Length));
    }

    private void GiveUp(int id)
    {
        lock (_lock)
        {
            if (!_streams.TryGetValue(id, out var stream))
                return;
            stream.Cancel();
            // One that is being answered is taken away at the end of that.
            if (!stream.IsComplete && _streams.Remove(id))
                stream.Dispose();
        }
    }

    private void Complete(Http2Stream stream)
    {
        if (stream.IsComplete)
            return;
        stream.IsComplete = true;
        _ = Task.Run(() => AnswerAsync(stream));
    }

    private async Task AnswerAsync(Http2Stream stream)
    {
        try
        {
            var answer = await call(stream.Path, stream.Body(), stream.Ended);
            var message = answer.Message is null ? [] : GrpcFrame.Write(answer.Message);
            await WriteAsync(Http2Frame.Write(FrameKind.Headers, FrameFlags.EndHeaders, stream.Id, HeaderBlock.Answer()));
            for (var sent = 0; sent < message.Length;)
            {
                var count = await RoomAsync(stream, message.Length - sent);
                await WriteAsync(Http2Frame.Write(FrameKind.Data, FrameFlags.None, stream.Id, message.AsSpan(sent, count)));
                sent += count;
            }

            await WriteAsync(Http2Frame.Write(FrameKind.Headers, FrameFlags.EndHeaders | FrameFlags.EndStream, stream.Id, HeaderBlock.Trailers(answer.Status, answer.Problem)));
        }
        catch (TimeoutException)
        {
            // The peer does not take what it asked for.
            await _end.CancelAsync();
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // Given up by the peer, or the connection is gone.
        }
        finally
        {
            lock (_lock)
                _streams.Remove(stream.Id);
            stream.Dispose();
        }
    }

    /// <summary>Waits until the peer takes data, on this stream and on the connection, and takes so much of what it grants.</summary>
    private async Task<int> RoomAsync(Http2Stream stream, int wanted)
    {
        while (true)
        {
            Task opened;
            lock (_lock)
            {
                var room = (int)Math.Min(Math.Min(_window, stream.Window), Math.Min(wanted, Http2Frame.LongestPayload));
                if (room > 0)
                {
                    _window -= room;
                    stream.Window -= room;
                    return room;
                }

                opened = _opened.Task;
            }

            await opened.WaitAsync(Patience, TimeProvider.System, stream.Ended);
        }
    }

    private void Grant(int id, int more)
    {
        lock (_lock)
        {
            if (id == 0)
            {
                Expect(more > 0 && (_window += more) <= LargestWindow, Http2Error.FlowControl, "a window that cannot be");
            }
            else if (_streams.TryGetValue(id, out var stream))
            {
                stream.Window += more;
                if (more == 0 || stream.Window > LargestWindow)
                    stream.Cancel();
            }

            Open();
        }
    }

    private async Task SetAsync(Http2Frame frame, ReadOnlyMemory<byte> payload)
    {
        if (frame.Has(FrameFlags.Ack))
            return;
        Expect(payload.Length % 6 == 0, Http2Error.FrameSize, "settings of another size");
        for (var at = 0; at < payload.Length; at += 6)
        {
            // What else there is to set concerns what we do not do: the size of a table that we do not use, pushes, frames larger than we send.
            if (BinaryPrimitives.ReadUInt16BigEndian(payload.Span[at..]) == 4)
                Resize(BinaryPrimitives.ReadUInt32BigEndian(payload.Span[(at + 2)..]));
        }

        await WriteAsync(Http2Frame.Write(FrameKind.Settings, FrameFlags.Ack, 0, []));
    }

    private void Resize(uint window)
    {
        Expect(window <= LargestWindow, Http2Error.FlowControl, "a window that cannot be");
        lock (_lock)
        {
            foreach (var stream in _streams.Values)
                stream.Window += window - _streamWindow;
            _streamWindow = (int)window;
            Open();
        }
    }

    private void Open()
    {
        _opened.TrySetResult();
        _opened = NewSignal();
    }

    private async Task GoAwayAsync(Http2Exception broken)
    {
        try
        {
            var payload = new byte[8];
            BinaryPrimitives.WriteInt32BigEndian(payload, _last);
            BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(4), (int)broken.Error);
            await WriteAsync(Http2Frame.Write(FrameKind.GoAway, FrameFlags.None, 0, payload));
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It does not hear it.
        }
    }

    private async Task WriteAsync(byte[] frame)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        limit.CancelAfter(Patience);
        await _writing.WaitAsync(limit.Token);
        try
        {
            await transport.WriteAsync(frame, limit.Token);
        }
        catch (OperationCanceledException)
        {
            // Half a frame may be out: nothing can follow it.
            await _end.CancelAsync();
            throw;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Without padding and priority.</summary>
    private static ReadOnlyMemory<byte> Inside(Http2Frame frame, ReadOnlyMemory<byte> payload)
    {
        var padding = 0;
        if (frame.Has(FrameFlags.Padded))
        {
            Expect(payload.Length > 0, Http2Error.FrameSize, "padding without a length");
            padding = payload.Span[0];
            payload = payload[1..];
        }

        if (frame.Kind == FrameKind.Headers && frame.Has(FrameFlags.Priority))
        {
            Expect(payload.Length >= 5, Http2Error.FrameSize, "a priority that is cut off");
            payload = payload[5..];
        }

        Expect(padding <= payload.Length, Http2Error.Protocol, "more padding than there is");
        return payload[..^padding];
    }

    private static byte[] Settings(params ReadOnlySpan<(int Name, int Value)> settings)
    {
        var payload = new byte[settings.Length * 6];
        for (var index = 0; index < settings.Length; index++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(index * 6), (ushort)settings[index].Name);
            BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan((index * 6) + 2), settings[index].Value);
        }

        return Http2Frame.Write(FrameKind.Settings, FrameFlags.None, 0, payload);
    }

    private static void Expect(bool isSo, Http2Error error, string problem)
    {
        if (!isSo)
            throw new Http2Exception(error, problem);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
