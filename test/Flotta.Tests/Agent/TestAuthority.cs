using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.Tests.Agent;

/// <summary>A CA of the test's own, with everything that the original's has.</summary>
internal sealed class TestAuthority
{
    private readonly X509Certificate2 _ca;

    public TestAuthority(string name = "flotta-operator")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"O={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        _ca = request.CreateSelfSigned(Now.AddDays(-1), Now.AddYears(10));
    }

    public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public string Pem => _ca.ExportCertificatePem();

    public X509Certificate2 Server()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        using var certificate = Sign(new CertificateRequest("CN=*", key, HashAlgorithmName.SHA256), Now.AddDays(-1), Now.AddYears(1), names.Build());
        return certificate.CopyWithPrivateKey(key);
    }

    public (string Certificate, string Key) Issue(string subject, DateTimeOffset? notBefore = null, DateTimeOffset? notAfter = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Sign(new CertificateRequest(subject, key, HashAlgorithmName.SHA256), notBefore ?? Now.AddDays(-1), notAfter ?? Now.AddDays(30));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>What a registration does: the request's key, a subject of ours.</summary>
    public X509Certificate2 Sign(string requestPem, string subject, DateTimeOffset? notBefore = null, DateTimeOffset? notAfter = null)
    {
        var asked = CertificateRequest.LoadSigningRequestPem(requestPem, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.Default);
        return Sign(new CertificateRequest(new X500DistinguishedName(subject), asked.PublicKey, HashAlgorithmName.SHA256), notBefore ?? Now.AddDays(-1), notAfter ?? Now.AddDays(30));
    }

    private X509Certificate2 Sign(CertificateRequest request, DateTimeOffset notBefore, DateTimeOffset notAfter, X509Extension? names = null)
    {
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2"), new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        if (names is not null)
            request.CertificateExtensions.Add(names);
        using var signer = _ca.GetECDsaPrivateKey()!;
        return request.Create(_ca.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), notBefore, notAfter, RandomNumberGenerator.GetBytes(8));
    }
}
