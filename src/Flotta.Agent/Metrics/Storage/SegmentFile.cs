using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Flotta.Agent.Metrics;

/// <summary>
/// A file that is only ever appended to: a head with the time of its making, then records of length, checksum and payload. What a crash or a
/// failing disk left behind ends at the first record that is not whole.
/// </summary>
internal static class SegmentFile
{
    public const int HeadBytes = 16;
    public const int RecordHeadBytes = 8;
    private const int MostPayload = 4 << 20;
    private const string Extension = ".samples";

    private static ReadOnlySpan<byte> Magic => "FLOTTAM1"u8;

    public static string Path(string folder, long number) => System.IO.Path.Combine(folder, number.ToString("D12", CultureInfo.InvariantCulture) + Extension);

    public static IReadOnlyList<long> List(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*" + Extension)
            .Select(System.IO.Path.GetFileNameWithoutExtension)
            .Select(name => long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1)
            .Where(number => number >= 0)
            .Order(),
    ];

    public static FileStream Create(string path, long time)
    {
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.Read | FileShare.Delete,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        Span<byte> head = stackalloc byte[HeadBytes];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteInt64LittleEndian(head[8..], time);
        file.Write(head);
        return file;
    }

    public static void Seal(Span<byte> record)
    {
        var payload = record[RecordHeadBytes..];
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Checksum(payload));
    }

    /// <summary>When it was made; null when it is no segment.</summary>
    public static long? MadeAt(Stream file)
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        file.Position = 0;
        return file.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false) == HeadBytes && head[..8].SequenceEqual(Magic)
            ? BinaryPrimitives.ReadInt64LittleEndian(head[8..])
            : null;
    }

    /// <summary>The record at the file's position; null, with the position where it was, when there is none that is whole.</summary>
    public static byte[]? Next(Stream file)
    {
        var start = file.Position;
        Span<byte> head = stackalloc byte[RecordHeadBytes];
        if (file.ReadAtLeast(head, RecordHeadBytes, throwOnEndOfStream: false) == RecordHeadBytes)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(head);
            if (length is > 0 and <= MostPayload && length <= file.Length - file.Position)
            {
                var payload = new byte[length];
                if (file.ReadAtLeast(payload, payload.Length, throwOnEndOfStream: false) == payload.Length
                    && Checksum(payload) == BinaryPrimitives.ReadUInt32LittleEndian(head[4..]))
                    return payload;
            }
        }

        file.Position = start;
        return null;
    }

    /// <summary>Castagnoli's CRC, which processors compute themselves.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes))
            crc = BitOperations.Crc32C(crc, word);
        foreach (var one in bytes[(bytes.Length & ~7)..])
            crc = BitOperations.Crc32C(crc, one);
        return ~crc;
    }
}
