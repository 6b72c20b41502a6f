using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Flotta.EdgeApi.Certificates;

namespace Flotta.Tests.EdgeApi.Certificates;

/// <summary>control-plane.md 3.3 and 3.5, at the level of TLS.</summary>
public sealed class HandshakeTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    [Fact]
    public async Task The_names_of_our_authorities_are_told_so_that_a_program_finds_its_certificate()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(world.Host.Address.Host, world.Host.Address.Port);
        await using var tls = new SslStream(socket.GetStream());
        var told = new List<string[]>();
        using var certificate = X509Certificate2.CreateFromPem(world.Bootstrap.CertificatePem, world.Bootstrap.KeyPem);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "project-flotta.io",
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            LocalCertificateSelectionCallback = (_, _, _, _, names) =>
            {
                // Asked a first time before the server has said anything.
                told.Add(names);
                return names.Length == 0 ? null! : certificate;
            },
        });
        tls.SslProtocol.ShouldBe(SslProtocols.Tls13);
        told.SelectMany(names => names).ShouldBe(["O=flotta-operator"]);
    }

    [Fact]
    public async Task Extensions_that_nobody_knows_do_not_matter_and_critical_ones_do()
    {
        (await StatusWith(new X509Extension("1.3.6.1.4.1.55555.1", [4, 1, 7], critical: false))).ShouldBe(200);
        (await StatusWith(new X509Extension("1.3.6.1.4.1.55555.1", [4, 1, 7], critical: true))).ShouldBe(401);
    }

    [Fact]
    public async Task A_certificate_as_the_original_signs_it_is_good()
    {
        // The authority's own serial and a constant key identifier, in a certificate without one of ours.
        (await StatusWith(new X509SubjectKeyIdentifierExtension([1, 2, 3, 4, 6], critical: false), world.Authority.Ca.SerialNumber, HashAlgorithmName.SHA384)).ShouldBe(200);
    }

    private async Task<int> StatusWith(X509Extension extension, string? serial = null, HashAlgorithmName? hash = null)
    {
        var (id, _) = await world.DeviceAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={id}, OU=default, O=flotta-operator", key, hash ?? HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(extension);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        var number = serial == null ? Issue.RandomSerial() : Convert.FromHexString(serial);
        var now = world.Time.GetUtcNow();
        using var signer = world.Authority.Ca.GetECDsaPrivateKey()!;
        using var signed = request.Create(world.Authority.Ca.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), now.AddDays(-1), now.AddDays(30), number);
        await world.RecordAsync(id, new Flotta.Resources.CertificateStatus { Serial = Convert.ToHexStringLower(number), Confirmed = true });
        using var client = world.Client(signed.CopyWithPrivateKey(key));
        var status = 401;
        for (var attempt = 0; attempt < 20 && status == 401; attempt++)
        {
            status = await client.GetAsync(id, "control").Status();
            if (status == 401)
                await Task.Delay(25);
        }

        return status;
    }
}
