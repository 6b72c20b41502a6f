using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Flotta.Tests.Agent;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Tests.Yggdrasil;

public sealed class IdentityTests
{
    [Fact]
    public void Elliptic_keys_are_read_as_sec1_and_as_pkcs8()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var certificate = SelfSigned(new CertificateRequest("CN=dev1", key, HashAlgorithmName.SHA256));
        Load(certificate, key.ExportECPrivateKeyPem()).CommonName.ShouldBe("dev1");
        Load(certificate, key.ExportPkcs8PrivateKeyPem()).HasRsaKey.ShouldBeFalse();
        // As openssl ecparam -genkey writes it.
        Load(certificate, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + key.ExportECPrivateKeyPem()).CommonName.ShouldBe("dev1");
    }

    [Fact]
    public void Rsa_keys_are_read_as_pkcs1_and_as_pkcs8()
    {
        using var key = RSA.Create(2048);
        var certificate = SelfSigned(new CertificateRequest("CN=dev1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        Load(certificate, key.ExportRSAPrivateKeyPem()).HasRsaKey.ShouldBeTrue();
        Load(certificate, key.ExportPkcs8PrivateKeyPem()).HasRsaKey.ShouldBeTrue();
    }

    [Fact]
    public void Each_thing_that_can_be_wrong_with_the_files_is_said_in_one_sentence()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var certificate = SelfSigned(new CertificateRequest("CN=dev1", key, HashAlgorithmName.SHA256));
        Problem(certificate, other.ExportPkcs8PrivateKeyPem()).ShouldBe("The private key in key.pem is damaged or does not belong to the certificate in cert.pem.");
        Problem("", key.ExportPkcs8PrivateKeyPem()).ShouldBe("cert.pem holds no PEM certificate.");
        Problem(certificate, "").ShouldBe("key.pem holds no PEM private key (PKCS#8, SEC1 or PKCS#1).");
        Problem(certificate, key.ExportEncryptedPkcs8PrivateKeyPem("x", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1)))
            .ShouldBe("The key in key.pem is encrypted; a device needs it in clear, with mode 0600.");
        Problem(certificate.Replace("MII", "AAA", StringComparison.Ordinal), key.ExportPkcs8PrivateKeyPem()).ShouldBe("cert.pem holds a damaged certificate.");
        Problem(certificate, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").ShouldStartWith("The private key in key.pem is damaged");
        Should.Throw<CredentialException>(() => Identity.FromFiles("/does/not/exist", "/x")).Message.ShouldBe("The certificate file /does/not/exist does not exist.");
        Should.Throw<CredentialException>(() => Roots.FromFiles(["/tmp"])).Message.ShouldBe("The CA file /tmp is a folder, not a file.");
    }

    [Fact]
    public void Only_what_our_ca_signed_is_signed_also_when_it_has_expired()
    {
        var ours = new TestAuthority();
        var roots = Roots.FromPem(ours.Pem);
        var (expired, key) = ours.Issue("CN=dev1", TestAuthority.Now.AddDays(-9), TestAuthority.Now.AddDays(-8));
        roots.Signed(Load(expired, key)).ShouldBeTrue();
        var (foreign, foreignKey) = new TestAuthority().Issue("CN=dev1");
        roots.Signed(Load(foreign, foreignKey)).ShouldBeFalse();
    }

    private static string SelfSigned(CertificateRequest request) =>
        request.CreateSelfSigned(TestAuthority.Now.AddDays(-1), TestAuthority.Now.AddDays(1)).ExportCertificatePem();

    private static Identity Load(string certificate, string key) => Identity.FromPem(certificate, key, "cert.pem", "key.pem");

    private static string Problem(string certificate, string key) => Should.Throw<CredentialException>(() => Load(certificate, key)).Message;
}
