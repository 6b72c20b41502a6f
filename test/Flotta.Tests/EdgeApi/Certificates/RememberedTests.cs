using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Flotta.EdgeApi.Certificates;
using Flotta.EdgeApi.Identity;

namespace Flotta.Tests.EdgeApi.Certificates;

/// <summary>What is remembered of proofs and signatures: it saves the work, and lets nobody in who would not have been let in without.</summary>
public sealed class RememberedTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_request_that_was_read_is_not_read_again_and_one_that_looks_like_it_is()
    {
        var requests = new SigningRequests();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = EdgeClient.Csr(key, "dev1");
        var first = requests.Read(pem).ShouldNotBeNull();
        requests.Read(new string(pem.AsSpan())).ShouldBeSameAs(first);

        // The same bytes but for one of the signature's: the proof is wrong, however often it is tried.
        var at = pem.LastIndexOf("-----END", StringComparison.Ordinal) - 12;
        var forged = pem[..at] + (pem[at] == 'A' ? 'B' : 'A') + pem[(at + 1)..];
        requests.Read(forged).ShouldBeNull();
        requests.Read(forged).ShouldBeNull();
        requests.Read(pem).ShouldBeSameAs(first);
    }

    [Fact]
    public void When_there_is_no_room_any_more_all_are_read_anew_and_none_is_taken_for_another()
    {
        var requests = new SigningRequests(capacity: 3);
        var pems = Enumerable.Range(0, 10).Select(_ =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return (Pem: EdgeClient.Csr(key, "dev1"), Key: key.ExportSubjectPublicKeyInfo());
        }).ToList();
        for (var round = 0; round < 3; round++)
        {
            foreach (var (pem, key) in pems)
                requests.Read(pem).ShouldNotBeNull().Key.ExportSubjectPublicKeyInfo().ShouldBe(key);
        }
    }

    [Fact]
    public void The_bootstrap_certificate_is_remembered_by_all_of_its_bytes()
    {
        using var ca = IssueTests.NewCa();
        using var stranger = IssueTests.NewCa();
        var trusted = new TrustedAuthorities([ca]);
        var serial = Issue.RandomSerial();
        using var ours = Bootstrap(ca, serial);
        using var theirs = Bootstrap(stranger, serial);
        for (var round = 0; round < 3; round++)
        {
            trusted.Check(theirs, Now, isShared: true).ShouldBe(Chaining.Foreign);
            trusted.Check(ours, Now, isShared: true).ShouldBe(Chaining.Valid);
        }

        // Its dates are looked at each time, and another set of CAs asks anew.
        trusted.Check(ours, Now.AddYears(20), isShared: true).ShouldBe(Chaining.Expired);
        new TrustedAuthorities([stranger]).Check(ours, Now, isShared: true).ShouldBe(Chaining.Foreign);
    }

    [Fact]
    public void A_peer_is_asked_about_anew_when_the_CAs_change()
    {
        using var ca = IssueTests.NewCa();
        using var next = IssueTests.NewCa();
        using var leaf = Bootstrap(ca, Issue.RandomSerial());
        var peer = new Peer(leaf);
        peer.IsBootstrap.ShouldBeTrue();
        peer.Check(new([ca]), Now).ShouldBe(Chaining.Valid);
        peer.Check(new([next]), Now).ShouldBe(Chaining.Foreign);
        peer.Check(new([next, ca]), Now).ShouldBe(Chaining.Valid);
        peer.Check(new([next, ca]), Now.AddYears(20)).ShouldBe(Chaining.Expired);
    }

    private static X509Certificate2 Bootstrap(X509Certificate2 ca, byte[] serial)
    {
        using var key = KeyPem.Like(ca);
        return Issue.Bootstrap(ca, key, "reg-client-ca-abc", serial, Now);
    }
}
