using System.Buffers.Binary;

namespace Flotta.Yggdrasil.Grpc;

/// <summary>One message as gRPC puts it on a stream: a flag (compressed or not), its length, itself.</summary>
internal static class GrpcFrame
{
    /// <summary>A configuration may have megabytes; Go's peers take four by default, and send no more.</summary>
    public const int LargestMessage = 16 << 20;
    private const int Header = 5;

    public static byte[] Write(ReadOnlySpan<byte> message)
    {
        var frame = new byte[Header + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame.AsSpan(Header));
        return frame;
    }

    /// <summary>Null where the stream ends before one begins.</summary>
    /// <exception cref="GrpcException">What is there is no message that we take.</exception>
    public static async Task<byte[]?> ReadAsync(Stream from, CancellationToken cancellationToken)
    {
        var header = new byte[Header];
        var read = await from.ReadAtLeastAsync(header, Header, throwOnEndOfStream: false, cancellationToken);
        if (read == 0)
            return null;
        if (read < Header)
            throw new GrpcException(GrpcStatus.Internal, "a message ends too early");
        var length = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(1));
        if (header[0] != 0)
            throw new GrpcException(GrpcStatus.Unimplemented, "compressed messages are not accepted");
        if (length > LargestMessage)
            throw new GrpcException(GrpcStatus.ResourceExhausted, $"a message is larger than {LargestMessage} bytes");
        var message = new byte[length];
        if (await from.ReadAtLeastAsync(message, message.Length, throwOnEndOfStream: false, cancellationToken) < message.Length)
            throw new GrpcException(GrpcStatus.Internal, "a message ends too early");
        return message;
    }
}
