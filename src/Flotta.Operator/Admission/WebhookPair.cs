using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.Operator.Admission;

/// <summary>The webhooks' certificate with its key, and the authorities by which the API server knows it: its own, and those before it.</summary>
internal sealed record WebhookPair(string CertificatePem, string KeyPem, string AuthoritiesPem)
{
    /// <summary>A new certificate from a new authority, whose key is forgotten at once: it never signs a second one.</summary>
    public static WebhookPair Issue(string @namespace, DateTimeOffset now, TimeSpan lifetime, WebhookPair? before)
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=flotta-webhook-ca-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var (from, until) = (now.AddMinutes(-5), now + lifetime);
        using var authority = request.CreateSelfSigned(from, until);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var service = $"flotta-webhook-service.{@namespace}.svc";
        var leaf = new CertificateRequest($"CN={service}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in (string[])[service, service + ".cluster.local", "localhost"]) names.AddDnsName(name);
        leaf.CertificateExtensions.Add(names.Build());
        leaf.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        leaf.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        using var certificate = leaf.Create(authority, from, until, Serial());
        return new(certificate.ExportCertificatePem() + "\n", key.ExportECPrivateKeyPem() + "\n", authority.ExportCertificatePem() + "\n" + Valid(before?.AuthoritiesPem, now));
    }

    /// <summary>Throws <see cref="CryptographicException"/> where certificate and key do not fit or cannot be read.</summary>
    public X509Certificate2 Open()
    {
        try
        {
            using var pem = X509Certificate2.CreateFromPem(CertificatePem, KeyPem);
            return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        }
        catch (ArgumentException problem)
        {
            throw new CryptographicException(problem.Message, problem);
        }
    }

    /// <summary>At two thirds of the lifetime, and whatever cannot be read at once.</summary>
    public bool IsDue(DateTimeOffset now)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(CertificatePem, KeyPem);
            var (from, until) = (new DateTimeOffset(certificate.NotBefore).AddMinutes(5), new DateTimeOffset(certificate.NotAfter));
            return AuthoritiesPem.Length == 0 || now >= from + ((until - from) * 2 / 3);
        }
        catch (Exception unreadable) when (unreadable is CryptographicException or ArgumentException)
        {
            return true;
        }
    }

    public override string ToString() => nameof(WebhookPair);

    // Positive, and never zero.
    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }

    private static string Valid(string? authorities, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(authorities)) return "";
        var known = new X509Certificate2Collection();
        try
        {
            known.ImportFromPem(authorities);
        }
        catch (CryptographicException)
        {
            return "";
        }

        return string.Concat(known.Where(one => new DateTimeOffset(one.NotAfter) > now).Take(3).Select(one => one.ExportCertificatePem() + "\n"));
    }
}
