using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.Yggdrasil.Credentials;

/// <summary>Who we are on the wire: a certificate with its private key, and what stands between it and the CA.</summary>
public sealed class Identity
{
    private static readonly string[] KeyLabels = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"];

    private Identity(X509Certificate2 certificate, X509Certificate2Collection chain)
    {
        Certificate = certificate;
        Between = [.. chain];
        // Given as a context, the certificate is presented as it is: also when it has expired, which is how a device asks for the next one.
        Context = SslStreamCertificateContext.Create(certificate, chain, offline: true);
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>The certificates that came along with ours.</summary>
    public IReadOnlyCollection<X509Certificate2> Between { get; }

    public SslStreamCertificateContext Context { get; }

    public string CommonName => Certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);

    public DateTimeOffset NotBefore => new(Certificate.NotBefore);

    public DateTimeOffset NotAfter => new(Certificate.NotAfter);

    public bool HasRsaKey => string.Equals(Certificate.GetKeyAlgorithm(), "1.2.840.113549.1.1.1", StringComparison.Ordinal);

    public static Identity FromFiles(string certificateFile, string keyFile)
    {
        var certificate = PemFile.Read(certificateFile, "certificate file");
        var key = PemFile.Read(keyFile, "key file");
        return FromPem(certificate, key, certificateFile, keyFile);
    }

    /// <summary>Takes PKCS#8, SEC1 and PKCS#1 keys.</summary>
    public static Identity FromPem(string certificatePem, string keyPem, string certificateName, string keyName)
    {
        var chain = Certificates(certificatePem, certificateName);
        if (chain.Count == 0)
            throw new CredentialException($"{certificateName} holds no PEM certificate.");
        if (!HasKey(keyPem))
        {
            throw new CredentialException(keyPem.Contains("ENCRYPTED", StringComparison.Ordinal)
                ? $"The key in {keyName} is encrypted; a device needs it in clear, with mode 0600."
                : $"{keyName} holds no PEM private key (PKCS#8, SEC1 or PKCS#1).");
        }

        try
        {
            var certificate = X509Certificate2.CreateFromPem(certificatePem, keyPem);
            chain.RemoveAt(0);
            return new Identity(certificate, chain);
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            throw new CredentialException($"The private key in {keyName} is damaged or does not belong to the certificate in {certificateName}.", exception) { IsMismatch = true };
        }
    }

    /// <summary>The common name of the first certificate; its key may be locked or absent.</summary>
    /// <exception cref="CredentialException">There is none.</exception>
    public static string NameIn(string certificatePem, string name) => Certificates(certificatePem, name) is [var first, ..]
        ? first.GetNameInfo(X509NameType.SimpleName, forIssuer: false)
        : throw new CredentialException($"{name} holds no PEM certificate.");

    internal static X509Certificate2Collection Certificates(string pem, string name)
    {
        try
        {
            var found = new X509Certificate2Collection();
            found.ImportFromPem(pem);
            return found;
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            throw new CredentialException($"{name} holds a damaged certificate.", exception);
        }
    }

    // One changed bit can make a curve of another, and the platform has its own word for each thing that it does not know.
    private static bool IsDamage(Exception exception) =>
        exception is CryptographicException or ArgumentException or NotSupportedException or FormatException or OverflowException or InvalidOperationException;

    private static bool HasKey(string pem)
    {
        ReadOnlySpan<char> rest = pem;
        while (PemEncoding.TryFind(rest, out var fields))
        {
            if (KeyLabels.Contains(rest[fields.Label].ToString(), StringComparer.Ordinal))
                return true;
            rest = rest[fields.Location.End..];
        }

        return false;
    }
}
