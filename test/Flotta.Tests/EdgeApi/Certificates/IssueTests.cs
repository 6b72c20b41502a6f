using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Flotta.EdgeApi.Certificates;

namespace Flotta.Tests.EdgeApi.Certificates;

/// <summary>control-plane.md 3.2 and 3.4, and who is believed.</summary>
public sealed class IssueTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private readonly X509Certificate2 ca = NewCa();

    [Fact]
    public void The_CA_is_what_the_originals_is()
    {
        ca.Subject.ShouldBe("O=flotta-operator");
        ca.NotAfter.ToUniversalTime().ShouldBe(Now.AddYears(10).UtcDateTime);
        var constraints = ca.Extensions.OfType<X509BasicConstraintsExtension>().Single();
        (constraints.Critical, constraints.CertificateAuthority, constraints.HasPathLengthConstraint).ShouldBe((true, true, false));
        var usage = ca.Extensions.OfType<X509KeyUsageExtension>().Single();
        (usage.Critical, usage.KeyUsages).ShouldBe((true, X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign));
        KeyPem.Write(ca.GetECDsaPrivateKey()!).ShouldStartWith("-----BEGIN EC PRIVATE KEY-----");
    }

    [Fact]
    public void The_server_certificate_names_the_domain_and_the_addresses()
    {
        using var key = KeyPem.Like(ca);
        using var server = Issue.Server(ca, key, "project-flotta.io", [IPAddress.Loopback, IPAddress.IPv6Loopback], Issue.RandomSerial(), Now);
        server.Subject.ShouldBe("O=flotta-operator, CN=*");
        var names = server.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        names.EnumerateDnsNames().ShouldBe(["project-flotta.io"]);
        names.EnumerateIPAddresses().ShouldBe([IPAddress.Loopback, IPAddress.IPv6Loopback]);
        server.NotAfter.ToUniversalTime().ShouldBe(Now.AddYears(1).UtcDateTime);
        ShouldBeALeaf(server);
    }

    [Fact]
    public void The_bootstrap_certificate_carries_the_name_of_its_secret()
    {
        using var key = KeyPem.Like(ca);
        using var bootstrap = Issue.Bootstrap(ca, key, "reg-client-ca-abc", Issue.RandomSerial(), Now);
        bootstrap.Subject.ShouldBe("O=flotta-operator, CN=register, SERIALNUMBER=reg-client-ca-abc");
        ShouldBeALeaf(bootstrap);
    }

    [Fact]
    public void A_devices_certificate_has_the_subject_that_we_decide_and_the_key_of_the_request()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = SigningRequest.Read(EdgeClient.Csr(key, "somebody-else")).ShouldNotBeNull();
        using var device = Issue.Device(ca, request.Key, "dev1", "ns1", 30, [0x41, 2, 3], Now);
        device.Subject.ShouldBe("O=flotta-operator, OU=ns1, CN=dev1");
        device.SerialNumber.ShouldBe("410203");
        device.NotBefore.ToUniversalTime().ShouldBe(Now.AddDays(-1).UtcDateTime);
        device.NotAfter.ToUniversalTime().ShouldBe(Now.AddDays(30).UtcDateTime);
        device.PublicKey.ExportSubjectPublicKeyInfo().ShouldBe(key.ExportSubjectPublicKeyInfo());
        device.Extensions.OfType<X509SubjectAlternativeNameExtension>().ShouldBeEmpty();
        ShouldBeALeaf(device);
    }

    [Fact]
    public void The_same_request_time_and_serial_give_the_same_content()
    {
        using var key = ECDsa.Create();
        var request = SigningRequest.Read(EdgeClient.Csr(key, "x"))!;
        byte[] ToBeSigned()
        {
            using var certificate = Issue.Device(ca, request.Key, "dev1", "ns1", 30, [0x41, 2, 3], Now);
            // All but the signature, which is random.
            return new System.Formats.Asn1.AsnReader(certificate.RawData, System.Formats.Asn1.AsnEncodingRules.DER).ReadSequence().ReadEncodedValue().ToArray();
        }

        ToBeSigned().ShouldBe(ToBeSigned());
    }

    [Fact]
    public void Serials_are_random_and_long()
    {
        var serials = Enumerable.Range(0, 1000).Select(_ => Convert.ToHexString(Issue.RandomSerial())).ToList();
        serials.Distinct(StringComparer.Ordinal).Count().ShouldBe(1000);
        serials.ShouldAllBe(serial => serial.Length == 32 && serial[0] >= '4' && serial[0] <= '7');
    }

    [Fact]
    public void An_RSA_authority_that_people_bring_signs_for_any_kind_of_key()
    {
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=Our own,O=Somebody", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var own = request.CreateSelfSigned(Now.AddDays(-1), Now.AddYears(3));
        var (loaded, trusted) = AuthorityState.ReadCa(new StoredPair("flotta-ca", own.ExportCertificatePem(), rsa.ExportRSAPrivateKeyPem(), "1", null));
        using var key = ECDsa.Create();
        using var device = Issue.Device(loaded, SigningRequest.Read(EdgeClient.Csr(key, "x"))!.Key, "dev1", "ns1", 30, Issue.RandomSerial(), Now);
        trusted.Check(device, Now).ShouldBe(Chaining.Valid);
        using var serverKey = KeyPem.Like(loaded);
        KeyPem.Write(serverKey).ShouldStartWith("-----BEGIN RSA PRIVATE KEY-----");
    }

    [Fact]
    public void A_request_without_proof_of_possession_is_none()
    {
        using var mine = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = EdgeClient.Csr(mine, "dev1");
        var der = Convert.FromBase64String(string.Concat(pem.Split('\n')[1..^1]));
        SigningRequest.Read(pem).ShouldNotBeNull();
        // Another key than the one that signed.
        using var victim = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var at = der.AsSpan().IndexOf(mine.ExportSubjectPublicKeyInfo());
        victim.ExportSubjectPublicKeyInfo().CopyTo(der.AsSpan(at));
        SigningRequest.Read(PemEncoding.WriteString("CERTIFICATE REQUEST", der)).ShouldBeNull();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("-----BEGIN CERTIFICATE REQUEST-----\n!!!!\n-----END CERTIFICATE REQUEST-----\n")]
    [InlineData("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n")]
    public void Nonsense_is_no_request(string? text) => SigningRequest.Read(text).ShouldBeNull();

    [Fact]
    public void A_certificate_is_no_request_and_a_short_RSA_key_is_none_either()
    {
        SigningRequest.Read(ca.ExportCertificatePem()).ShouldBeNull();
        using var weak = RSA.Create(1024);
        SigningRequest.Read(EdgeClient.Csr(weak, "x")).ShouldBeNull();
        SigningRequest.Read(new string('A', 100_000)).ShouldBeNull();
    }

    [Fact]
    public void Only_what_we_signed_ourselves_is_ours()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var trusted = new TrustedAuthorities([ca]);
        using var good = Issue.Device(ca, new PublicKey(key), "dev1", "ns", 30, Issue.RandomSerial(), Now);
        trusted.Check(good, Now).ShouldBe(Chaining.Valid);
        trusted.Check(good, Now.AddDays(31)).ShouldBe(Chaining.Expired);
        trusted.Check(good, Now.AddDays(-3)).ShouldBe(Chaining.Foreign);

        using var namesake = NewCa(); // the same name, another key
        using var foreign = Issue.Device(namesake, new PublicKey(key), "dev1", "ns", 30, Issue.RandomSerial(), Now);
        trusted.Check(foreign, Now).ShouldBe(Chaining.Foreign);
        new TrustedAuthorities([ca, namesake]).Check(foreign, Now).ShouldBe(Chaining.Valid);
        new TrustedAuthorities([namesake, ca]).Check(good, Now).ShouldBe(Chaining.Valid);

        trusted.Check(ca, Now).ShouldBe(Chaining.Foreign);
        using var selfSigned = new CertificateRequest("CN=dev1,OU=ns", key, HashAlgorithmName.SHA256).CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
        trusted.Check(selfSigned, Now).ShouldBe(Chaining.Foreign);

        using var withKey = good.CopyWithPrivateKey(key);
        using var derived = new CertificateRequest("CN=dev2,OU=ns", key, HashAlgorithmName.SHA256)
            .Create(withKey.SubjectName, X509SignatureGenerator.CreateForECDsa(key), Now.AddHours(-1), Now.AddHours(1), [1]);
        trusted.Check(derived, Now).ShouldBe(Chaining.Foreign);
    }

    [Fact]
    public void Earlier_authorities_beside_the_present_one_stay_trusted()
    {
        using var old = NewCa();
        var stored = new StoredPair("flotta-ca", ca.ExportCertificatePem() + "\n" + old.ExportCertificatePem(), KeyPem.Write(ca.GetECDsaPrivateKey()!), "1", null);
        var (signer, trusted) = AuthorityState.ReadCa(stored);
        signer.SerialNumber.ShouldBe(ca.SerialNumber);
        trusted.Authorities.Count.ShouldBe(2);
        using var key = ECDsa.Create();
        using var earlier = Issue.Device(old, new PublicKey(key), "dev1", "ns", 30, Issue.RandomSerial(), Now);
        trusted.Check(earlier, Now).ShouldBe(Chaining.Valid);
    }

    [Theory]
    [InlineData("no certificate", "no key")]
    public void A_CA_that_cannot_be_used_is_one_clear_sentence(string certificate, string key) =>
        Should.Throw<Flotta.EdgeApi.EdgeApiStartException>(() => AuthorityState.ReadCa(new StoredPair("flotta-ca", certificate, key, "1", null)))
            .Message.ShouldStartWith("The CA in secret flotta-ca cannot be used");

    private void ShouldBeALeaf(X509Certificate2 certificate)
    {
        new TrustedAuthorities([ca]).Check(certificate, Now).ShouldBe(Chaining.Valid);
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().ShouldBeEmpty();
        var usage = certificate.Extensions.OfType<X509KeyUsageExtension>().Single();
        (usage.Critical, usage.KeyUsages).ShouldBe((true, X509KeyUsageFlags.DigitalSignature));
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>().Select(oid => oid.Value)
            .ShouldBe(["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"], ignoreOrder: true);
        certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().Single().KeyIdentifier!.Value.ToArray()
            .ShouldBe(ca.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifierBytes.ToArray());
    }

    internal static X509Certificate2 NewCa()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Issue.Ca(key, Issue.RandomSerial(), Now);
    }
}
