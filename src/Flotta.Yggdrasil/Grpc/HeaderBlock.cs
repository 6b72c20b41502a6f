using System.Text;

namespace Flotta.Yggdrasil.Grpc;

/// <summary>Header fields as HTTP/2 packs them (RFC 7541). Reading has a memory of what the peer said before, one for each connection; writing needs none.</summary>
internal sealed class HeaderBlock
{
    /// <summary>All names and values of one request, with 32 bytes for each pair.</summary>
    public const int MostBytes = 32 << 10;

    private const int TableBytes = 4096;
    private const int Overhead = 32;

    // Appendix A; values where it has any.
    private static readonly (string Name, string Value)[] Static =
    [
        (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"), (":scheme", "http"), (":scheme", "https"),
        (":status", "200"), (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"),
        ("accept-charset", ""), ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""), ("access-control-allow-origin", ""),
        ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""), ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""),
        ("content-length", ""), ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""), ("etag", ""), ("expect", ""),
        ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""),
        ("last-modified", ""), ("link", ""), ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""), ("referer", ""),
        ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""), ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""),
        ("vary", ""), ("via", ""), ("www-authenticate", ""),
    ];

    // The newest first.
    private readonly LinkedList<(string Name, string Value)> _table = [];
    private int _size;
    private int _most = TableBytes;

    /// <exception cref="Http2Exception">It is no such block, or too large: the connection's memory is lost with it.</exception>
    public IReadOnlyList<(string Name, string Value)> Read(ReadOnlySpan<byte> block)
    {
        var fields = new List<(string Name, string Value)>();
        var total = 0;
        while (block.Length > 0)
        {
            var first = block[0];
            if ((first & 0xe0) == 0x20)
            {
                Resize(Number(ref block, 5));
                continue;
            }

            var field = (first & 0x80) != 0 ? At(Number(ref block, 7)) : Literal(ref block, (first & 0x40) != 0);
            total += SizeOf(field);
            if (total > MostBytes)
                throw new Http2Exception(Http2Error.EnhanceYourCalm, $"the headers of one request are larger than {MostBytes} bytes");
            fields.Add(field);
        }

        return fields;
    }

    /// <summary>Status 200 and the type of the answer.</summary>
    public static byte[] Answer() => [0x88, .. Field(31, "application/grpc")];

    public static byte[] Trailers(GrpcStatus status, string? problem)
    {
        var number = ((int)status).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return problem is null ? Field("grpc-status", number) : [.. Field("grpc-status", number), .. Field("grpc-message", Uri.EscapeDataString(problem))];
    }

    private (string Name, string Value) Literal(ref ReadOnlySpan<byte> block, bool isKept)
    {
        var index = Number(ref block, isKept ? 6 : 4);
        var name = index == 0 ? Text(ref block) : At(index).Name;
        var field = (name, Text(ref block));
        if (isKept)
            Keep(field);
        return field;
    }

    private void Keep((string Name, string Value) field)
    {
        _table.AddFirst(field);
        _size += SizeOf(field);
        Evict();
    }

    private void Resize(int most)
    {
        if (most > TableBytes)
            throw Damaged("a table that is larger than we offered");
        _most = most;
        Evict();
    }

    private void Evict()
    {
        while (_size > _most)
        {
            _size -= SizeOf(_table.Last!.Value);
            _table.RemoveLast();
        }
    }

    private (string Name, string Value) At(int index)
    {
        if (index >= 1 && index <= Static.Length)
            return Static[index - 1];
        var node = index > Static.Length && index - Static.Length <= _table.Count ? _table.First : throw Damaged($"an entry {index} that is not there");
        for (var skip = index - Static.Length - 1; skip > 0; skip--)
            node = node!.Next;
        return node!.Value;
    }

    // Section 5.1. Nothing that we take is longer than two bytes can say, or three after a full prefix.
    private static int Number(ref ReadOnlySpan<byte> block, int prefix)
    {
        var most = (1 << prefix) - 1;
        var number = Next(ref block) & most;
        if (number < most)
            return number;
        for (var shift = 0; shift <= 21; shift += 7)
        {
            var more = Next(ref block);
            number += (more & 0x7f) << shift;
            if ((more & 0x80) == 0)
                return number;
        }

        throw Damaged("a number that is too large");
    }

    private static string Text(ref ReadOnlySpan<byte> block)
    {
        if (block.Length == 0)
            throw Damaged("an end too early");
        var isPacked = (block[0] & 0x80) != 0;
        var length = Number(ref block, 7);
        if (length > block.Length)
            throw Damaged("an end too early");
        var octets = block[..length];
        block = block[length..];
        return isPacked ? Encoding.Latin1.GetString(Huffman.Decode(octets) ?? throw Damaged("a word that is not in its code")) : Encoding.Latin1.GetString(octets);
    }

    private static byte Next(ref ReadOnlySpan<byte> block)
    {
        if (block.Length == 0)
            throw Damaged("an end too early");
        var next = block[0];
        block = block[1..];
        return next;
    }

    private static int SizeOf((string Name, string Value) field) => field.Name.Length + field.Value.Length + Overhead;

    private static Http2Exception Damaged(string what) => new(Http2Error.Compression, $"headers have {what}");

    // Without indexing, the name from the static table.
    private static byte[] Field(int name, string value) => [.. Number(0, 4, name), .. Word(value)];

    private static byte[] Field(string name, string value) => [0, .. Word(name), .. Word(value)];

    private static byte[] Word(string text) => [.. Number(0, 7, text.Length), .. Encoding.ASCII.GetBytes(text)];

    private static byte[] Number(byte flags, int prefix, int number)
    {
        var most = (1 << prefix) - 1;
        if (number < most)
            return [(byte)(flags | number)];
        var octets = new List<byte> { (byte)(flags | most) };
        for (number -= most; number >= 0x80; number >>= 7)
            octets.Add((byte)(number | 0x80));
        octets.Add((byte)number);
        return [.. octets];
    }
}
