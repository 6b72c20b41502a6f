using Flotta.EdgeApi.Registration;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.Tests.EdgeApi.Registration;

public sealed class RegistrationRuleTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly RegistrationCase Bootstrap = new(false, false, "ff", Now.AddYears(1), Request("key-1"), "key-1", Now, TimeSpan.FromDays(180));
    private static readonly RegistrationCase Own = new(true, false, "a1", Now.AddDays(10), null, "key-2", Now, TimeSpan.FromDays(180));

    [Fact]
    public void Nobody_has_let_it_in() => RegistrationRule.Decide(Bootstrap, null).ShouldBe(RegistrationVerdict.NotApproved);

    [Fact]
    public void A_device_that_is_being_deleted_counts_as_gone()
    {
        var device = Device(approved: true);
        device.Metadata.DeletionTimestamp = Now.UtcDateTime;
        RegistrationRule.Decide(Bootstrap, device).ShouldBe(RegistrationVerdict.NotApproved);
    }

    [Fact]
    public void The_first_registration_is_for_the_approved_key()
    {
        RegistrationRule.Decide(Bootstrap, Device(approved: true)).ShouldBe(RegistrationVerdict.Issue);
        RegistrationRule.Decide(Bootstrap with { KeyFingerprint = "key-2" }, Device(approved: true)).ShouldBe(RegistrationVerdict.Forbidden);
    }

    [Fact]
    public void Where_no_key_was_offered_any_key_will_do() =>
        RegistrationRule.Decide(Bootstrap with { Request = Request(null), KeyFingerprint = "key-9" }, Device(approved: true)).ShouldBe(RegistrationVerdict.Issue);

    [Fact]
    public void It_can_be_repeated_until_the_certificate_has_been_used()
    {
        RegistrationRule.Decide(Bootstrap, Device(certificate: new() { Serial = "a1", Confirmed = false })).ShouldBe(RegistrationVerdict.Issue);
        RegistrationRule.Decide(Bootstrap with { KeyFingerprint = "key-2" }, Device(certificate: new() { Serial = "a1", Confirmed = false })).ShouldBe(RegistrationVerdict.Forbidden);
        RegistrationRule.Decide(Bootstrap, Device(certificate: new() { Serial = "a1", Confirmed = true })).ShouldBe(RegistrationVerdict.Forbidden);
    }

    [Fact]
    public void The_bootstrap_certificate_does_not_slip_in_while_a_renewal_is_under_way() =>
        RegistrationRule.Decide(Bootstrap with { Request = Request(null) }, Device(certificate: new() { Serial = "b2", PreviousSerial = "a1", Confirmed = false }))
            .ShouldBe(RegistrationVerdict.Forbidden);

    [Fact]
    public void A_registered_device_of_before_the_records_is_not_the_bootstrap_certificates() =>
        RegistrationRule.Decide(Bootstrap, Device()).ShouldBe(RegistrationVerdict.Forbidden);

    [Fact]
    public void After_the_grace_a_device_that_was_approved_anew_may_register()
    {
        var device = Device(certificate: new() { Serial = "a1", Confirmed = true, NotAfter = Now.AddDays(-181) });
        var anew = Request("key-1", approved: true);
        anew.Metadata.Annotations = new Dictionary<string, string> { ["flotta/approve-again-after"] = "a1" };
        RegistrationRule.Decide(Bootstrap with { Request = anew }, device).ShouldBe(RegistrationVerdict.Issue);
        RegistrationRule.Decide(Bootstrap with { Request = anew with { Spec = new() { TargetNamespace = "default", Approved = false } } }, device).ShouldBe(RegistrationVerdict.Forbidden);
        RegistrationRule.Decide(Bootstrap with { Request = Request("key-1", approved: true) }, device).ShouldBe(RegistrationVerdict.Forbidden);
        RegistrationRule.Decide(Bootstrap with { Request = anew }, Device(certificate: new() { Serial = "b2", Confirmed = true, NotAfter = Now.AddDays(-181) })).ShouldBe(RegistrationVerdict.Forbidden);
    }

    [Theory]
    [InlineData("a1", RegistrationVerdict.Issue)]
    [InlineData("00", RegistrationVerdict.Issue)]
    [InlineData("77", RegistrationVerdict.Unauthorized)]
    internal void A_renewal_comes_with_the_last_certificate_or_the_one_before(string serial, RegistrationVerdict verdict) =>
        RegistrationRule.Decide(Own with { Serial = serial }, Device(certificate: new() { Serial = "A1", PreviousSerial = "00" })).ShouldBe(verdict);

    [Theory]
    [InlineData(179, RegistrationVerdict.Issue)]
    [InlineData(181, RegistrationVerdict.Unauthorized)]
    internal void An_expired_certificate_renews_within_the_grace(int days, RegistrationVerdict verdict) =>
        RegistrationRule.Decide(Own with { HasExpired = true, NotAfter = Now.AddDays(-days) }, Device(certificate: new() { Serial = "a1" })).ShouldBe(verdict);

    [Fact]
    public void A_revoked_device_gets_nothing()
    {
        var device = Device(certificate: new() { Serial = "a1" });
        device.Metadata.Annotations = new Dictionary<string, string> { ["flotta/revoked"] = "true" };
        RegistrationRule.Decide(Own, device).ShouldBe(RegistrationVerdict.Unauthorized);
        RegistrationRule.Decide(Bootstrap, device).ShouldBe(RegistrationVerdict.Forbidden);
    }

    [Fact]
    public void A_declined_request_gets_nothing() =>
        RegistrationRule.Decide(
            Bootstrap with { Request = Request("key-1") with { Spec = new() { TargetNamespace = "default", Declined = true } } }, Device(approved: true)).ShouldBe(RegistrationVerdict.NotApproved);

    [Fact]
    public void A_certificate_of_an_earlier_life_is_worth_what_the_bootstrap_certificate_is()
    {
        RegistrationRule.Decide(Own with { Request = Request("key-2") }, Device(approved: true)).ShouldBe(RegistrationVerdict.Issue);
        RegistrationRule.Decide(Own with { Request = Request("key-1") }, Device(approved: true)).ShouldBe(RegistrationVerdict.Forbidden);
        RegistrationRule.Decide(Own with { Request = Request("key-2"), HasExpired = true, NotAfter = Now.AddDays(-1) }, Device(approved: true)).ShouldBe(RegistrationVerdict.Unauthorized);
    }

    private static EdgeDevice Device(bool approved = false, CertificateStatus? certificate = null) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = "dev1",
            NamespaceProperty = "default",
            Labels = approved ? new Dictionary<string, string> { ["edgedeviceSignedRequest"] = "true" } : null,
        },
        Status = new EdgeDeviceStatus { Certificate = certificate },
    };

    private static EdgeDeviceSignedRequest Request(string? key, bool approved = true) => new()
    {
        Spec = new EdgeDeviceSignedRequestSpec { TargetNamespace = "default", Approved = approved, KeyFingerprint = key },
    };
}
