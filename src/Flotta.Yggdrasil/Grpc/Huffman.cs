namespace Flotta.Yggdrasil.Grpc;

/// <summary>The code of RFC 7541, appendix B. It is canonical: codes of one length are consecutive numbers in the order of their bytes, so the lengths say all.</summary>
internal static class Huffman
{
    private const int Longest = 30;

    // How many bits each byte takes. The end of a string (30 bits) is never written, only hinted at by its first bits.
    private static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    ];

    // For each length: the first code of it, and where its bytes begin in Bytes.
    private static readonly (uint First, int At, int Count)[] Rows = new (uint, int, int)[Longest + 1];
    private static readonly byte[] Bytes = new byte[256];

    static Huffman()
    {
        var (code, at) = (0u, 0);
        for (var length = 1; length <= Longest; length++)
        {
            code <<= 1;
            var start = at;
            for (var value = 0; value < 256; value++)
            {
                if (Lengths[value] == length)
                    Bytes[at++] = (byte)value;
            }

            Rows[length] = (code, start, at - start);
            code += (uint)(at - start);
        }
    }

    /// <summary>Null where it is not of this code, or ends in anything but up to seven ones.</summary>
    public static byte[]? Decode(ReadOnlySpan<byte> coded)
    {
        // The shortest code has five bits.
        var text = new byte[coded.Length * 8 / 5];
        var written = 0;
        var (code, length) = (0u, 0);
        foreach (var octet in coded)
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                code = (code << 1) | (uint)((octet >> bit) & 1);
                if (++length > Longest)
                    return null;
                var (first, at, count) = Rows[length];
                if (code < first || code - first >= (uint)count)
                    continue;
                text[written++] = Bytes[at + (int)(code - first)];
                (code, length) = (0, 0);
            }
        }

        return length > 7 || code != (1u << length) - 1 ? null : text[..written];
    }
}
