using System.Text.Json.Nodes;
using Flotta.Operator.Admission;

namespace Flotta.Tests.Operator.Admission;

public sealed class AdmissionAnswerTests
{
    private static readonly AdmissionRules Workloads = AdmissionRules.All.Single(rules => rules.Plural == "edgeworkloads");

    [Fact]
    public void Names_and_paths_are_the_original_s()
    {
        Workloads.Name.ShouldBe("edgeworkload.management.project-flotta.io");
        Workloads.Path.ShouldBe("/validate-management-project-flotta-io-v1alpha1-edgeworkload");
    }

    [Fact]
    public void What_can_run_is_allowed_under_the_uid_of_the_question()
    {
        var answer = AdmissionAnswer.To(Review(Workload("i")), Workloads);
        answer.ToJsonString().ShouldBe("""{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"u-1","allowed":true}}""");
    }

    [Fact]
    public void A_deletion_is_allowed() => AdmissionAnswer.To(Review(null), Workloads)["response"]!["allowed"]!.GetValue<bool>().ShouldBeTrue();

    [Fact]
    public void All_errors_are_in_one_message()
    {
        var status = AdmissionAnswer.To(Review(Workload("i", """,{"name":"a"}""")), Workloads)["response"]!["status"]!;
        status["code"]!.GetValue<int>().ShouldBe(422);
        status["message"]!.GetValue<string>().ShouldBe("name collisions for containers within the same pod are not supported.\ncontainer name: 'a' has been reused; containers[a].image is missing");
    }

    [Fact]
    public void What_stays_as_it_was_is_not_refused_for_it()
    {
        var wrong = Workload("");
        AdmissionAnswer.To(Review(wrong, Workload("")), Workloads)["response"]!["allowed"]!.GetValue<bool>().ShouldBeTrue();
        AdmissionAnswer.To(Review(wrong, Workload("i")), Workloads)["response"]!["allowed"]!.GetValue<bool>().ShouldBeFalse();
        wrong = wrong.Replace("\"metadata\":{", "\"metadata\":{\"deletionTimestamp\":\"2026-01-01T00:00:00Z\",", StringComparison.Ordinal);
        AdmissionAnswer.To(Review(wrong, Workload("i")), Workloads)["response"]!["allowed"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"apiVersion":"admission.k8s.io/v1beta1","request":{"uid":"u"}}""")]
    [InlineData("""{"apiVersion":"admission.k8s.io/v1","request":{"uid":7}}""")]
    public void What_is_no_question_gets_no_answer(string review) => Should.Throw<FormatException>(() => AdmissionAnswer.To(JsonNode.Parse(review), Workloads));

    [Theory]
    [InlineData("""{"spec":{"type":"pod","pod":{"spec":{"containers":7}}}}""")]
    [InlineData("""{"spec":"x"}""")]
    public void What_cannot_be_read_is_refused(string thing) => AdmissionAnswer.To(Review(thing), Workloads)["response"]!["allowed"]!.GetValue<bool>().ShouldBeFalse();

    [Fact]
    public void Playbooks_are_checked()
    {
        var configs = AdmissionRules.All.Single(rules => rules.Plural == "edgeconfigs");
        configs.Errors("""{"metadata":{},"spec":{"edgePlaybook":{"playbooks":[{"content":"","timeoutSeconds":-1,"requiredPrivilegeLevel":{"capAdd":[38]}}]}}}""").Count.ShouldBe(3);
        configs.Errors("""{"metadata":{},"spec":{"edgePlaybook":{"playbooks":[{"content":"LS0t"}]}}}""").ShouldBeEmpty();
    }

    private static string Workload(string image, string more = "") =>
        """{"metadata":{"name":"w"},"spec":{"type":"pod","device":"d","pod":{"spec":{"containers":[{"name":"a","image":"IMAGE"}MORE]}}}}"""
            .Replace("IMAGE", image, StringComparison.Ordinal).Replace("MORE", more, StringComparison.Ordinal);

    private static JsonNode Review(string? thing, string? old = null) => JsonNode.Parse(
        """{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","object":NEW,"oldObject":OLD}}"""
            .Replace("NEW", thing ?? "null", StringComparison.Ordinal).Replace("OLD", old ?? "null", StringComparison.Ordinal))!;
}
