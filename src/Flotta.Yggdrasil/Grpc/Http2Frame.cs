using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Flotta.Yggdrasil.Grpc;

/// <summary>RFC 9113, section 6.</summary>
internal enum FrameKind : byte
{
    Data = 0,
    Headers = 1,
    Priority = 2,
    Reset = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}

/// <summary>What a frame's flags mean depends on its kind; these are those that we look at.</summary>
[Flags]
internal enum FrameFlags : byte
{
    None = 0,
    EndStream = 0x1,
    Ack = 0x1,
    EndHeaders = 0x4,
    Padded = 0x8,
    Priority = 0x20,
}

/// <summary>RFC 9113, section 7, those that we say.</summary>
internal enum Http2Error
{
    None = 0,
    Protocol = 1,
    FlowControl = 3,
    FrameSize = 6,
    RefusedStream = 7,
    Compression = 9,
    EnhanceYourCalm = 11,
}

/// <summary>The peer does not speak HTTP/2 as we understand it: the connection ends.</summary>
internal sealed class Http2Exception(Http2Error error, string message) : Exception(message)
{
    public Http2Error Error { get; } = error;
}

/// <summary>The nine bytes before each frame's payload.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Http2Frame(int Length, FrameKind Kind, FrameFlags Flags, int Stream)
{
    public const int HeaderLength = 9;

    /// <summary>What either side may send unless it was told otherwise, and we tell nobody otherwise.</summary>
    public const int LongestPayload = 16384;

    public bool Has(FrameFlags flag) => (Flags & flag) != FrameFlags.None;

    public static Http2Frame Read(ReadOnlySpan<byte> header)
    {
        var length = (header[0] << 16) | (header[1] << 8) | header[2];
        return new Http2Frame(length, (FrameKind)header[3], (FrameFlags)header[4], (int)(BinaryPrimitives.ReadUInt32BigEndian(header[5..]) & int.MaxValue));
    }

    public static byte[] Write(FrameKind kind, FrameFlags flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[HeaderLength + payload.Length];
        (frame[0], frame[1], frame[2], frame[3], frame[4]) = ((byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, (byte)kind, (byte)flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(HeaderLength));
        return frame;
    }

    public static byte[] Write(FrameKind kind, int stream, int number)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, number);
        return Write(kind, FrameFlags.None, stream, payload);
    }
}
