using System.Buffers;
using System.Security.Cryptography;

namespace Flotta.Agent.DataSync;

internal static class Checksums
{
    public static bool IsMd5(string tag) => tag.Length == 32 && tag.All(char.IsAsciiHexDigit);

    /// <summary>One pass for both.</summary>
    public static async Task<Piece> OfAsync(Stream file, long offset, long length, CancellationToken cancellationToken)
    {
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await ReadAsync(file, offset, length, block =>
        {
            md5.AppendData(block.Span);
            sha256.AppendData(block.Span);
        }, cancellationToken);
        return new Piece(file, offset, length, Convert.ToHexStringLower(md5.GetHashAndReset()), Convert.ToHexStringLower(sha256.GetHashAndReset()));
    }

    public static async Task<string> Md5Async(Stream file, long offset, long length, CancellationToken cancellationToken)
    {
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        await ReadAsync(file, offset, length, block => md5.AppendData(block.Span), cancellationToken);
        return Convert.ToHexStringLower(md5.GetHashAndReset());
    }

    /// <summary>What others say is cut before it is passed on.</summary>
    public static string Short(string text)
    {
        var clean = string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter));
        return clean.Length <= 300 ? clean : clean[..300] + "…";
    }

    private static async Task ReadAsync(Stream file, long offset, long length, Action<ReadOnlyMemory<byte>> block, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            file.Seek(offset, SeekOrigin.Begin);
            for (var left = length; left > 0;)
            {
                var count = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, 64 << 10)), cancellationToken);
                if (count == 0)
                    throw new PieceChangedException();
                block(buffer.AsMemory(0, count));
                left -= count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
