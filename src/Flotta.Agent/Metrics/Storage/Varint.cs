using System.Buffers;
using System.Buffers.Binary;

namespace Flotta.Agent.Metrics;

/// <summary>Numbers of variable length, as protobuf writes them.</summary>
internal static class Varint
{
    public static void Write(IBufferWriter<byte> to, ulong number)
    {
        var span = to.GetSpan(10);
        var length = 0;
        for (; number >= 0x80; number >>= 7)
            span[length++] = (byte)(number | 0x80);
        span[length++] = (byte)number;
        to.Advance(length);
    }

    public static void WriteSigned(IBufferWriter<byte> to, long number) => Write(to, ((ulong)number << 1) ^ (ulong)(number >> 63));

    public static void WriteDouble(IBufferWriter<byte> to, double number)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(to.GetSpan(8), number);
        to.Advance(8);
    }

    public static int Length(ulong number) => number == 0 ? 1 : (70 - System.Numerics.BitOperations.LeadingZeroCount(number)) / 7;

    /// <exception cref="InvalidDataException">The bytes end before the number does.</exception>
    public static ulong Read(ref ReadOnlySpan<byte> from)
    {
        ulong number = 0;
        for (var i = 0; i < 10 && i < from.Length; i++)
        {
            number |= (ulong)(from[i] & 0x7F) << (7 * i);
            if (from[i] < 0x80)
            {
                from = from[(i + 1)..];
                return number;
            }
        }

        throw new InvalidDataException("a number does not end");
    }

    public static long ReadSigned(ref ReadOnlySpan<byte> from)
    {
        var number = Read(ref from);
        return (long)(number >> 1) ^ -(long)(number & 1);
    }

    public static double ReadDouble(ref ReadOnlySpan<byte> from)
    {
        if (from.Length < 8)
            throw new InvalidDataException("a number does not end");
        var number = BinaryPrimitives.ReadDoubleLittleEndian(from);
        from = from[8..];
        return number;
    }

    public static ReadOnlySpan<byte> ReadBytes(ref ReadOnlySpan<byte> from)
    {
        var length = Read(ref from);
        if (length > (ulong)from.Length)
            throw new InvalidDataException("bytes are missing");
        var bytes = from[..(int)length];
        from = from[(int)length..];
        return bytes;
    }
}
