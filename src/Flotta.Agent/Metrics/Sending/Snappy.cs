using System.Buffers.Binary;

namespace Flotta.Agent.Metrics;

/// <summary>
/// Snappy's block format (google/snappy: format_description.txt), compression only: the length, then literals and copies found by a hash of four
/// bytes. Fragments of 64 KiB stand alone, as every implementation does it, so that an offset fits two bytes.
/// </summary>
internal static class Snappy
{
    private const int Fragment = 1 << 16;
    private const int HashBits = 13;

    public static int MostBytes(int length) => 32 + length + (length / 6);

    /// <returns>How many bytes of <paramref name="to"/> were written.</returns>
    public static int Compress(ReadOnlySpan<byte> from, Span<byte> to)
    {
        var written = 0;
        for (var rest = (uint)from.Length; ; rest >>= 7)
        {
            to[written++] = (byte)(rest < 0x80 ? rest : rest | 0x80);
            if (rest < 0x80)
                break;
        }

        Span<ushort> seen = new ushort[1 << HashBits];
        for (; from.Length > 0; from = from[Math.Min(Fragment, from.Length)..])
        {
            seen.Clear();
            written += CompressFragment(from[..Math.Min(Fragment, from.Length)], to[written..], seen);
        }

        return written;
    }

    private static int CompressFragment(ReadOnlySpan<byte> from, Span<byte> to, Span<ushort> seen)
    {
        var (written, literal, at) = (0, 0, 1);
        while (at + 4 <= from.Length)
        {
            var four = BinaryPrimitives.ReadUInt32LittleEndian(from[at..]);
            ref var entry = ref seen[(int)((four * 0x1E35A7BD) >> (32 - HashBits))];
            var candidate = entry;
            entry = (ushort)at;
            if (candidate >= at || BinaryPrimitives.ReadUInt32LittleEndian(from[candidate..]) != four)
            {
                // The longer nothing is found the less is looked at: what cannot be compressed costs little.
                at += 1 + ((at - literal) >> 5);
                continue;
            }

            var length = 4 + from[(at + 4)..].CommonPrefixLength(from[(candidate + 4)..]);
            written += Literal(from[literal..at], to[written..]);
            written += Copy(at - candidate, length, to[written..]);
            at += length;
            literal = at;
        }

        return written + Literal(from[literal..], to[written..]);
    }

    private static int Literal(ReadOnlySpan<byte> bytes, Span<byte> to)
    {
        if (bytes.IsEmpty)
            return 0;
        var length = bytes.Length - 1;
        var head = 1;
        if (length < 60)
        {
            to[0] = (byte)(length << 2);
        }
        else if (length < 256)
        {
            (to[0], to[1]) = (60 << 2, (byte)length);
            head = 2;
        }
        else
        {
            (to[0], to[1], to[2]) = (61 << 2, (byte)length, (byte)(length >> 8));
            head = 3;
        }

        bytes.CopyTo(to[head..]);
        return head + bytes.Length;
    }

    private static int Copy(int offset, int length, Span<byte> to)
    {
        var written = 0;
        for (; length > 0; written += 3)
        {
            var part = Math.Min(length, 64);
            to[written] = (byte)((part - 1) << 2 | 2);
            BinaryPrimitives.WriteUInt16LittleEndian(to[(written + 1)..], (ushort)offset);
            length -= part;
        }

        return written;
    }
}
