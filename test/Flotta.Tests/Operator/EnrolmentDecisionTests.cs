using Flotta.Operator.Enrolment;
using Flotta.Resources;

namespace Flotta.Tests.Operator;

public sealed class EnrolmentDecisionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Before = Now.AddHours(-1);
    private static readonly ApprovalPolicy Manual = new(false, ["default"]);
    private static readonly ApprovalPolicy Automatic = new(true, ["default"]);

    [Theory]
    // approved, declined, automatic, namespace, device exists, namespace exists → step, true condition
    [InlineData(false, false, false, "default", false, true, EnrolmentStep.Report, "pending")]
    [InlineData(false, false, true, "default", false, true, EnrolmentStep.Approve, null)]
    [InlineData(false, false, true, "other", false, true, EnrolmentStep.Report, "pending")]
    [InlineData(false, true, true, "default", false, true, EnrolmentStep.Report, "declined")]
    [InlineData(true, true, false, "default", false, true, EnrolmentStep.Report, "declined")]
    [InlineData(true, false, false, "default", false, true, EnrolmentStep.Create, "approved")]
    [InlineData(true, false, false, "default", true, true, EnrolmentStep.Report, "approved")]
    [InlineData(true, false, false, "default", false, false, EnrolmentStep.Report, "pending")]
    [InlineData(true, false, true, "other", false, true, EnrolmentStep.Create, "approved")]
    internal void Each_situation_has_its_step(
        bool approved, bool declined, bool automatic, string @namespace, bool exists, bool there, EnrolmentStep step, string? holds)
    {
        var request = Request(new() { TargetNamespace = @namespace, Approved = approved, Declined = declined });
        var decision = EnrolmentDecision.For(request, exists, there, automatic ? Automatic : Manual, Now);
        decision.Step.ShouldBe(step);
        decision.Conditions.SingleOrDefault(condition => condition.Status == "True")?.Type.ShouldBe(holds);
    }

    [Theory]
    [InlineData("SHA256:x", "it offered the key SHA256:x")]
    [InlineData("", "it offered no key")]
    [InlineData(null, "it offered no key")]
    public void A_pending_request_says_which_key_was_offered(string? key, string says) =>
        Decide(new() { TargetNamespace = "default", KeyFingerprint = key }).Conditions.ShouldHaveSingleItem().Message!.ShouldContain(says);

    [Fact]
    public void A_missing_namespace_is_named_where_the_approval_fails()
    {
        var conditions = EnrolmentDecision.For(Request(new() { TargetNamespace = "nowhere", Approved = true }), false, false, Manual, Now).Conditions;
        conditions.Select(condition => (condition.Type, condition.Status)).ShouldBe([("pending", "True"), ("approved", "False")]);
        conditions.ShouldAllBe(condition => condition.Message!.Contains("'nowhere'", StringComparison.Ordinal));
    }

    [Fact]
    public void A_withdrawn_approval_is_pending_again()
    {
        var conditions = Decide(new() { TargetNamespace = "default" }, Condition("approved", "True")).Conditions;
        conditions.Select(condition => (condition.Type, condition.Status)).ShouldBe([("approved", "False"), ("pending", "True")]);
    }

    [Fact]
    public void What_has_not_changed_keeps_its_time_and_what_has_gets_a_new_one()
    {
        var conditions = Decide(new() { TargetNamespace = "default", Approved = true }, Condition("pending", "True"), Condition("approved", "False")).Conditions;
        conditions.Select(condition => (condition.Type, condition.Status, condition.LastTransitionTime)).ShouldBe([("pending", "False", Now), ("approved", "True", Now)]);
        var again = EnrolmentDecision.For(Request(new() { TargetNamespace = "default", Approved = true }, [.. conditions]), true, true, Manual, Now.AddDays(1));
        again.Conditions.ShouldBe(conditions);
    }

    [Fact]
    public void The_conditions_that_the_original_piled_up_become_one_of_each_type()
    {
        var conditions = Decide(
            new() { TargetNamespace = "default", Approved = true },
            Condition("pending", "false"), Condition("approved", "false"), Condition("approved", "true")).Conditions;
        conditions.Select(condition => (condition.Type, condition.Status, condition.LastTransitionTime))
            .ShouldBe([("pending", "False", Before), ("approved", "True", Before)]);
    }

    [Fact]
    public void Declining_a_device_that_is_in_already_says_how_to_remove_it() =>
        EnrolmentDecision.For(Request(new() { TargetNamespace = "ns", Declined = true }), true, true, Manual, Now)
            .Conditions.Single().Message!.ShouldContain("EdgeDevice ns/dev");

    [Theory]
    [InlineData("pumps", 2)]
    [InlineData("", 1)]
    [InlineData(null, 1)]
    public void A_new_device_carries_exactly_its_labels(string? set, int labels)
    {
        var device = NewDevice.For(Request(new() { TargetNamespace = "ns", TargetSet = set }), Now);
        device.Metadata.Labels.Count.ShouldBe(labels);
        device.Metadata.Labels["edgedeviceSignedRequest"].ShouldBe("true");
        device.Metadata.Finalizers.ShouldBe(["device-finalizer"]);
        (device.Metadata.Name, device.Metadata.NamespaceProperty, device.Spec.RequestTime).ShouldBe(("dev", "ns", Now));
    }

    private static EnrolmentDecision Decide(EdgeDeviceSignedRequestSpec spec, params EnrolmentCondition[] conditions) =>
        EnrolmentDecision.For(Request(spec, conditions), spec.Approved == true, true, Manual, Now);

    private static EnrolmentCondition Condition(string type, string status) => new() { Type = type, Status = status, LastTransitionTime = Before };

    private static EdgeDeviceSignedRequest Request(EdgeDeviceSignedRequestSpec spec, params EnrolmentCondition[] conditions) => new()
    {
        Metadata = new() { Name = "dev", NamespaceProperty = "default" },
        Spec = spec,
        Status = conditions.Length == 0 ? null : new() { Conditions = conditions },
    };
}
