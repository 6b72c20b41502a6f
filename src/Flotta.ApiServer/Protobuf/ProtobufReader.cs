using System.Buffers.Binary;

namespace Flotta.ApiServer.Protobuf;

/// <summary>Protobuf's encoding, field by field. Whatever does not fit is a FormatException.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> rest = data;

    public int Field { get; private set; }

    /// <summary>Of fields that hold a number.</summary>
    public ulong Number { get; private set; }

    /// <summary>Of fields that hold bytes, text or a message; null: a number.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    public bool HasBytes { get; private set; }

    /// <summary>False at the end.</summary>
    public bool Next()
    {
        if (rest.IsEmpty)
            return false;
        var tag = Varint();
        Field = tag >> 3 is > 0 and <= 536870911 and var number ? (int)number : throw new FormatException("a field number is out of range");
        HasBytes = false;
        Bytes = default;
        Number = 0;
        switch (tag & 7)
        {
            case 0:
                Number = Varint();
                break;
            case 1:
                Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                var length = Varint();
                Bytes = length <= (ulong)rest.Length ? Take((int)length) : throw new FormatException("a length goes past the end");
                HasBytes = true;
                break;
            case 5:
                Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw new FormatException("a wire type is not known");
        }

        return true;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var one = Take(1)[0];
            value |= (ulong)(one & 0x7F) << shift;
            if (one < 0x80)
                return value;
        }

        throw new FormatException("a number is too long");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > rest.Length)
            throw new FormatException("it ends in the middle of a field");
        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }
}
