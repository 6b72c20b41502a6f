using System.Text;
using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Agent.DataSync;

/// <summary>Where a device's data is, and what opens it: a pure function of the configuration.</summary>
/// <param name="Path">What stands before a key: the bucket's name, or nothing where the host names it already.</param>
internal sealed record Bucket(string Authority, string Path, string Region, string AccessKeyId, string SecretAccessKey, Roots Authorities)
{
    /// <summary>Which bucket it is; other credentials for the same one change nothing of what is known of it.</summary>
    public string Identity => Authority + Path;

    /// <exception cref="FormatException">With a sentence for a person, that says nothing of the credentials.</exception>
    public static Bucket Of(S3Storage s3)
    {
        if (string.IsNullOrWhiteSpace(s3.BucketHost) || Uri.CheckHostName(s3.BucketHost) == UriHostNameType.Unknown)
            throw new FormatException($"the bucket's host '{s3.BucketHost}' is no name of a host");
        if (s3.BucketPort is not null and (< 1 or > 65535))
            throw new FormatException($"the bucket's port {s3.BucketPort} is none");
        if (string.IsNullOrEmpty(s3.BucketName) || s3.BucketName.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '.' or '_')))
            throw new FormatException($"the bucket's name '{s3.BucketName}' is none");
        var host = s3.BucketHost.Contains(':', StringComparison.Ordinal) ? $"[{s3.BucketHost.Trim('[', ']')}]" : s3.BucketHost;
        var port = s3.BucketPort ?? 443;
        return new Bucket(
            port == 443 ? host : FormattableString.Invariant($"{host}:{port}"),
            host.StartsWith(s3.BucketName + ".", StringComparison.OrdinalIgnoreCase) ? "" : "/" + s3.BucketName,
            string.IsNullOrEmpty(s3.BucketRegion) ? "us-east-1" : s3.BucketRegion,
            Text(s3.AwsAccessKeyId, "access key id"),
            Text(s3.AwsSecretAccessKey, "secret access key"),
            string.IsNullOrEmpty(s3.AwsCaBundle) ? Roots.System : Trusted(s3.AwsCaBundle));
    }

    // Credentials are in it.
    public override string ToString() => Identity;

    private static Roots Trusted(string bundle)
    {
        try
        {
            // Nothing in it must not mean everybody: no CA of ours would be the system's.
            return Roots.FromPem(Text(bundle, "CA")) is { AreOurs: true } roots ? roots : throw new CredentialException("no certificate");
        }
        catch (Exception exception) when (exception is CredentialException or System.Security.Cryptography.CryptographicException)
        {
            throw new FormatException("the bucket's CA holds no certificate that can be read", exception);
        }
    }

    private static string Text(string? base64, string what)
    {
        try
        {
            // A line break at the end comes from an editor and would break a header.
            return Encoding.UTF8.GetString(Convert.FromBase64String(base64 ?? "")).Trim() is { Length: > 0 } text ? text : throw new FormatException();
        }
        catch (FormatException exception)
        {
            throw new FormatException($"the bucket's {what} is missing or not base64", exception);
        }
    }
}
