using System.Buffers.Binary;
using System.Numerics;

namespace Flotta.ApiServer.Storage;

/// <summary>CRC-32C of a stored value, so that a page that rotted on the disk is named and never served.</summary>
internal static class Checksum
{
    public static uint Of(ReadOnlySpan<byte> value)
    {
        var sum = uint.MaxValue;
        for (; value.Length >= 8; value = value[8..])
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(value));
        foreach (var one in value)
            sum = BitOperations.Crc32C(sum, one);
        return ~sum;
    }
}
