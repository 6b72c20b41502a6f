using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.EdgeApi.Certificates;

/// <summary>
/// What our four kinds of certificates contain (docs/protocol, certificates). Pure but for the keys: the same key, time and serial give the same content.
/// </summary>
internal static class Issue
{
    public const string Organization = "flotta-operator";

    /// <summary>The name of the bootstrap certificate: whoever has it may ask to be let in, and nothing else.</summary>
    public const string BootstrapName = "register";

    private static readonly OidCollection BothUsages = [new Oid("1.3.6.1.5.5.7.3.2"), new Oid("1.3.6.1.5.5.7.3.1")];

    /// <summary>At least 64 random bits, positive, never zero.</summary>
    public static byte[] RandomSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }

    public static X509Certificate2 Ca(AsymmetricAlgorithm key, byte[] serial, DateTimeOffset now) =>
        Authority(key, Name(builder => builder.AddOrganizationName(Organization)), serial, now, null);

    /// <summary>
    /// A CA that follows another one. It has a name of its own: two CAs of one name could only be told apart by their keys, and not every program takes that trouble.
    /// </summary>
    public static X509Certificate2 Successor(AsymmetricAlgorithm key, byte[] serial, DateTimeOffset now) =>
        Authority(key, SuccessorName(serial), serial, now, null);

    /// <summary>The predecessor's word for its successor: whoever trusts only the one can follow the chain to what the other signed.</summary>
    public static X509Certificate2 Cross(X509Certificate2 successor, X509Certificate2 predecessor, byte[] serial, DateTimeOffset now)
    {
        using var key = KeyPem.KeyOf(successor) ?? throw new CryptographicException("the CA has no private key");
        return Authority(key, successor.SubjectName, serial, now, predecessor);
    }

    public static X509Certificate2 Server(X509Certificate2 ca, AsymmetricAlgorithm key, string domain, IEnumerable<IPAddress> addresses, byte[] serial, DateTimeOffset now)
    {
        var request = Leaf(
            ca,
            Name(builder =>
            {
                builder.AddOrganizationName(Organization);
                builder.AddCommonName("*");
            }),
            key);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(domain);
        foreach (var address in addresses)
            names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        return WithKey(Sign(ca, request, now.AddMinutes(-5), now.AddYears(1), serial), key);
    }

    public static X509Certificate2 Bootstrap(X509Certificate2 ca, AsymmetricAlgorithm key, string secretName, byte[] serial, DateTimeOffset now)
    {
        var request = Leaf(
            ca,
            Name(builder =>
            {
                builder.AddOrganizationName(Organization);
                builder.AddCommonName(BootstrapName);
                builder.Add(new Oid("2.5.4.5"), secretName);
            }),
            key);
        return WithKey(Sign(ca, request, now.AddMinutes(-5), now.AddYears(1), serial), key);
    }

    /// <summary>A device's certificate. The subject is decided here; of the request only the public key counts.</summary>
    public static X509Certificate2 Device(X509Certificate2 ca, PublicKey key, string deviceId, string deviceNamespace, int days, byte[] serial, DateTimeOffset now)
    {
        var name = Name(builder =>
        {
            builder.AddOrganizationName(Organization);
            builder.AddOrganizationalUnitName(deviceNamespace);
            builder.AddCommonName(deviceId);
        });
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        AddLeafExtensions(ca, request);
        return Sign(ca, request, now.AddDays(-1), now.AddDays(days), serial);
    }

    private static X500DistinguishedName SuccessorName(byte[] serial) => Name(builder =>
    {
        builder.AddOrganizationName(Organization);
        builder.AddCommonName("authority " + Convert.ToHexStringLower(serial)[..8]);
    });

    private static X509Certificate2 Authority(AsymmetricAlgorithm key, X500DistinguishedName name, byte[] serial, DateTimeOffset now, X509Certificate2? issuer)
    {
        var request = Request(name, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(BothUsages, critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (issuer == null)
            return WithKey(request.Create(name, Generator(key), Seconds(now.AddMinutes(-5)), Seconds(now.AddYears(10)), serial), key);
        AddIssuer(issuer, request);
        return Sign(issuer, request, now.AddMinutes(-5), now.AddYears(10), serial);
    }

    private static CertificateRequest Leaf(X509Certificate2 ca, X500DistinguishedName name, AsymmetricAlgorithm key)
    {
        var request = Request(name, key);
        AddLeafExtensions(ca, request);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }

    private static void AddLeafExtensions(X509Certificate2 ca, CertificateRequest request)
    {
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(BothUsages, critical: false));
        AddIssuer(ca, request);
    }

    private static void AddIssuer(X509Certificate2 ca, CertificateRequest request)
    {
        // A CA that people bring may have no key identifier.
        if (ca.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault() is { } identifier)
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(identifier));
    }

    // Never beyond the CA's own life: such a certificate could not be verified.
    private static X509Certificate2 Sign(X509Certificate2 ca, CertificateRequest request, DateTimeOffset from, DateTimeOffset until, byte[] serial)
    {
        using var key = KeyPem.KeyOf(ca) ?? throw new CryptographicException("the CA has no private key");
        var end = new DateTimeOffset(ca.NotAfter.ToUniversalTime());
        return request.Create(ca.SubjectName, Generator(key), Seconds(from), Seconds(until < end ? until : end), serial);
    }

    private static X500DistinguishedName Name(Action<X500DistinguishedNameBuilder> build)
    {
        var builder = new X500DistinguishedNameBuilder();
        build(builder);
        return builder.Build();
    }

    private static CertificateRequest Request(X500DistinguishedName name, AsymmetricAlgorithm key) => key switch
    {
        ECDsa ecdsa => new CertificateRequest(name, ecdsa, HashAlgorithmName.SHA256),
        RSA rsa => new CertificateRequest(name, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        _ => throw new CryptographicException("keys are ECDSA or RSA"),
    };

    private static X509SignatureGenerator Generator(AsymmetricAlgorithm key) => key switch
    {
        ECDsa ecdsa => X509SignatureGenerator.CreateForECDsa(ecdsa),
        RSA rsa => X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1),
        _ => throw new CryptographicException("keys are ECDSA or RSA"),
    };

    private static X509Certificate2 WithKey(X509Certificate2 certificate, AsymmetricAlgorithm key)
    {
        using (certificate)
        {
            return key switch
            {
                ECDsa ecdsa => certificate.CopyWithPrivateKey(ecdsa),
                RSA rsa => certificate.CopyWithPrivateKey(rsa),
                _ => throw new CryptographicException("keys are ECDSA or RSA"),
            };
        }
    }

    private static DateTimeOffset Seconds(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
}
