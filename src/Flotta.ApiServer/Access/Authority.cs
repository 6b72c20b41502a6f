using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Access;

/// <summary>The server's own certificate authority, kept in the data directory: it signs the server's certificate and those of its clients.</summary>
internal sealed class Authority : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3650);
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(10);

    private readonly X509Certificate2 certificate;
    private readonly TimeProvider time;

    private Authority(X509Certificate2 certificate, TimeProvider time)
    {
        this.certificate = certificate;
        this.time = time;
    }

    public X509Certificate2 Certificate => certificate;

    public string CertificatePem => certificate.ExportCertificatePem();

    /// <exception cref="ApiServerStartException">Its files are damaged, or it has expired.</exception>
    public static Authority Open(string folder, TimeProvider time)
    {
        OwnerOnly.MakeFolder(folder);
        var file = Path.Combine(folder, "ca.pem");
        try
        {
            if (!File.Exists(file))
                OwnerOnly.Write(file, Encoding.ASCII.GetBytes(Make(time)));
            var opened = X509Certificate2.CreateFromPemFile(file, file);
            if (opened.NotAfter > time.GetUtcNow().UtcDateTime)
                return new Authority(opened, time);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ApiServerStartException(
                $"The certificate authority in {file} cannot be read ({e.Message.TrimEnd('.')}): put a backup in its place; without it no client that has a certificate gets in.", e);
        }

        throw new ApiServerStartException($"The certificate authority in {file} has expired, or this machine's clock is wrong.");
    }

    /// <param name="subject">Of the new certificate.</param>
    /// <param name="lifetime">How long it is valid.</param>
    /// <param name="usage">`serverAuth` or `clientAuth` as an OID.</param>
    /// <param name="names">The subject alternative names, if any.</param>
    /// <returns>The certificate with its private key.</returns>
    public X509Certificate2 Issue(X500DistinguishedName subject, TimeSpan lifetime, string usage, SubjectAlternativeNameBuilder? names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(certificate, true, false));
        if (names is not null)
            request.CertificateExtensions.Add(names.Build());
        var now = time.GetUtcNow();
        var last = new DateTimeOffset(certificate.NotAfter);
        var end = now + lifetime < last ? now + lifetime : last;
        using var signed = request.Create(certificate, now - Skew, end, Serial());
        return signed.CopyWithPrivateKey(key);
    }

    /// <summary>Is this one of ours, for clients, and valid now?</summary>
    public bool Signed(X509Certificate2 leaf)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(certificate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(Usages.Client));
        chain.ChainPolicy.VerificationTime = time.GetUtcNow().UtcDateTime;
        return chain.Build(leaf);
    }

    public void Dispose() => certificate.Dispose();

    private static string Make(TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=flotta-api-server-ca", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = time.GetUtcNow();
        using var made = request.CreateSelfSigned(now - Skew, now + Lifetime);
        return made.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
    }

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }
}

internal static class Usages
{
    public const string Server = "1.3.6.1.5.5.7.3.1";
    public const string Client = "1.3.6.1.5.5.7.3.2";
}
