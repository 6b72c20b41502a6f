using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Flotta.Agent.DataSync;

/// <summary>
/// AWS Signature Version 4, as S3 and all that speak its language want it: a pure function from a request to its Authorization header.
/// The path is the encoded one that is sent; S3 does not normalise it.
/// </summary>
internal static class Signature
{
    public const string EmptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// <param name="headers">In lower case, host among them; all are signed.</param>
    public static string Authorization(string method, string path, string query, IReadOnlyDictionary<string, string> headers, string payload, Bucket bucket, DateTimeOffset now)
    {
        var names = headers.Keys.Order(StringComparer.Ordinal).ToList();
        var signed = string.Join(';', names);
        var canonical = new StringBuilder().Append(method).Append('\n').Append(path).Append('\n').Append(query).Append('\n');
        foreach (var name in names)
            canonical.Append(name).Append(':').Append(headers[name].Trim()).Append('\n');
        canonical.Append('\n').Append(signed).Append('\n').Append(payload);

        var day = now.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var scope = $"{day}/{bucket.Region}/s3/aws4_request";
        var text = $"AWS4-HMAC-SHA256\n{Time(now)}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical.ToString())))}";
        var key = Encoding.UTF8.GetBytes("AWS4" + bucket.SecretAccessKey);
        foreach (var part in new[] { day, bucket.Region, "s3", "aws4_request", text })
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        return $"AWS4-HMAC-SHA256 Credential={bucket.AccessKeyId}/{scope},SignedHeaders={signed},Signature={Convert.ToHexStringLower(key)}";
    }

    public static string Time(DateTimeOffset now) => now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Percent-encoded but for the few letters that S3 leaves as they are, and, in a path, the slash.</summary>
    public static string Encode(string text, bool path = false)
    {
        var encoded = new StringBuilder(text.Length + 8);
        foreach (var one in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)one) || one is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'~' || (path && one == (byte)'/'))
                encoded.Append((char)one);
            else
                encoded.Append('%').Append(one.ToString("X2", CultureInfo.InvariantCulture));
        }

        return encoded.ToString();
    }

    /// <summary>Sorted by the encoded name, as it is both signed and sent.</summary>
    public static string Query(params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var encoded = new List<(string Name, string Value)>();
        foreach (var (name, value) in parameters)
        {
            if (value is not null)
                encoded.Add((Encode(name), Encode(value)));
        }

        return string.Join('&', encoded.OrderBy(one => one.Name, StringComparer.Ordinal).Select(one => $"{one.Name}={one.Value}"));
    }
}
