using System.Security.Cryptography.X509Certificates;
using Flotta.Operator.Admission;

namespace Flotta.Tests.Operator.Admission;

public sealed class WebhookPairTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_service_is_named_and_the_chain_is_good()
    {
        var pair = WebhookPair.Issue("flotta", Now, TimeSpan.FromDays(365), null);
        using var certificate = pair.Open();
        certificate.MatchesHostname("flotta-webhook-service.flotta.svc").ShouldBeTrue();
        certificate.MatchesHostname("flotta-webhook-service.other.svc").ShouldBeFalse();
        Chains(certificate, pair.AuthoritiesPem).ShouldBeTrue();
        Chains(certificate, WebhookPair.Issue("flotta", Now, TimeSpan.FromDays(365), null).AuthoritiesPem).ShouldBeFalse();
    }

    [Fact]
    public void A_renewed_one_still_lets_its_predecessor_be_known_until_that_has_expired()
    {
        var first = WebhookPair.Issue("flotta", Now, TimeSpan.FromDays(3), null);
        var second = WebhookPair.Issue("flotta", Now.AddDays(2), TimeSpan.FromDays(3), first);
        using var certificate = first.Open();
        Chains(certificate, second.AuthoritiesPem).ShouldBeTrue();
        Chains(certificate, WebhookPair.Issue("flotta", Now.AddDays(4), TimeSpan.FromDays(3), second).AuthoritiesPem).ShouldBeFalse();
    }

    [Fact]
    public void It_is_due_at_two_thirds_of_its_lifetime_and_when_it_cannot_be_read()
    {
        var pair = WebhookPair.Issue("flotta", Now, TimeSpan.FromDays(30), null);
        pair.IsDue(Now.AddDays(19)).ShouldBeFalse();
        pair.IsDue(Now.AddDays(20).AddMinutes(1)).ShouldBeTrue();
        (pair with { CertificatePem = "rubbish" }).IsDue(Now).ShouldBeTrue();
        (pair with { KeyPem = WebhookPair.Issue("flotta", Now, TimeSpan.FromDays(30), null).KeyPem }).IsDue(Now).ShouldBeTrue();
        (pair with { AuthoritiesPem = "" }).IsDue(Now).ShouldBeTrue();
    }

    private static bool Chains(X509Certificate2 certificate, string authorities)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = certificate.NotBefore.AddHours(1);
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(authorities);
        return chain.Build(certificate);
    }
}
