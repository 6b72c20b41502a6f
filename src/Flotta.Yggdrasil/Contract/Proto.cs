using System.Buffers.Binary;
using System.Text;

namespace Flotta.Yggdrasil.Contract;

/// <summary>Writes the few protobuf forms that the contract has: varints, strings and bytes, and maps of strings. Defaults are left out, as proto3 does.</summary>
internal sealed class ProtoWriter
{
    private const int Varint = 0;
    private const int Bytes = 2;
    private readonly MemoryStream _to = new();

    public byte[] ToArray() => _to.ToArray();

    public ProtoWriter Text(int field, string? value) => string.IsNullOrEmpty(value) ? this : Blob(field, Encoding.UTF8.GetBytes(value));

    public ProtoWriter Blob(int field, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
            return this;
        Number((ulong)((field << 3) | Bytes));
        Number((ulong)value.Length);
        _to.Write(value);
        return this;
    }

    public ProtoWriter Integer(int field, long value)
    {
        if (value == 0)
            return this;
        Number((ulong)((field << 3) | Varint));
        Number((ulong)value);
        return this;
    }

    public ProtoWriter Flag(int field, bool value) => Integer(field, value ? 1 : 0);

    public ProtoWriter Map(int field, IReadOnlyDictionary<string, string>? values)
    {
        foreach (var (key, value) in values ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            var entry = new ProtoWriter().Text(1, key).Text(2, value).ToArray();
            // An entry with an empty key and value is still an entry.
            Number((ulong)((field << 3) | Bytes));
            Number((ulong)entry.Length);
            _to.Write(entry);
        }

        return this;
    }

    private void Number(ulong value)
    {
        for (; value > 0x7f; value >>= 7)
            _to.WriteByte((byte)(value | 0x80));
        _to.WriteByte((byte)value);
    }
}

/// <summary>One field of a protobuf message. Unknown ones are passed over by whoever reads.</summary>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct ProtoField(int Number, ulong Integer, ReadOnlyMemory<byte> Bytes)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public string Text
    {
        get
        {
            try
            {
                return Strict.GetString(Bytes.Span);
            }
            catch (DecoderFallbackException exception)
            {
                throw new ContractException("a string is not UTF-8", exception);
            }
        }
    }

    /// <exception cref="ContractException">The bytes are no protobuf message.</exception>
    public static IEnumerable<ProtoField> Read(ReadOnlyMemory<byte> message)
    {
        var at = 0;
        while (at < message.Length)
        {
            var tag = Varint(message, ref at);
            var field = (int)(tag >> 3);
            if (field <= 0)
                throw new ContractException("a field has no number");
            yield return (tag & 7) switch
            {
                0 => new ProtoField(field, Varint(message, ref at), default),
                1 => new ProtoField(field, BinaryPrimitives.ReadUInt64LittleEndian(Take(message, 8, ref at).Span), default),
                2 => new ProtoField(field, 0, Take(message, Varint(message, ref at), ref at)),
                5 => new ProtoField(field, BinaryPrimitives.ReadUInt32LittleEndian(Take(message, 4, ref at).Span), default),
                _ => throw new ContractException("a field is of an unknown form"),
            };
        }
    }

    public void AddTo(Dictionary<string, string> map)
    {
        string key = "", value = "";
        foreach (var part in Read(Bytes))
        {
            if (part.Number == 1)
                key = part.Text;
            else if (part.Number == 2)
                value = part.Text;
        }

        map[key] = value;
    }

    private static ReadOnlyMemory<byte> Take(ReadOnlyMemory<byte> message, ulong length, ref int at)
    {
        if (length > (ulong)(message.Length - at))
            throw new ContractException("a message ends too early");
        var taken = message.Slice(at, (int)length);
        at += (int)length;
        return taken;
    }

    private static ulong Varint(ReadOnlyMemory<byte> message, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (at >= message.Length)
                throw new ContractException("a message ends too early");
            var part = message.Span[at++];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
                return value;
        }

        throw new ContractException("a number is too long");
    }
}
