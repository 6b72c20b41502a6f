using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Flotta.Agent.DataSync;

/// <summary>The ETag of an object that was put in parts, as nearly all servers make it: the MD5 of the MD5s of its parts, and how many there are.</summary>
internal sealed record PartsTag(string Md5, int Parts)
{
    private const int MostParts = 10_000;

    /// <summary>Null for any other form.</summary>
    public static PartsTag? Read(string tag) =>
        tag.Length > 33 && tag[32] == '-' && tag[33] != '0' && Checksums.IsMd5(tag[..32])
        && int.TryParse(tag.AsSpan(33), NumberStyles.None, CultureInfo.InvariantCulture, out var parts) && parts <= MostParts
            ? new PartsTag(tag[..32], parts)
            : null;

    /// <param name="md5s">Of the parts, in their order, as hexadecimal digits in lower case.</param>
    public bool IsOf(IReadOnlyList<string> md5s)
    {
        if (md5s.Count != Parts)
            return false;
        var digits = string.Concat(md5s);
        // Garage takes the digits for the bytes that they stand for.
        return Is(MD5.HashData(Convert.FromHexString(digits))) || Is(MD5.HashData(Encoding.ASCII.GetBytes(digits)));
    }

    private bool Is(byte[] hash) => string.Equals(Convert.ToHexStringLower(hash), Md5, StringComparison.OrdinalIgnoreCase);
}
