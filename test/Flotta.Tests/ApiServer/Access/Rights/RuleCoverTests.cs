using Flotta.ApiServer.Access.Rights;

namespace Flotta.Tests.ApiServer.Access.Rights;

public sealed class RuleCoverTests
{
    [Fact]
    public void Several_rules_together_cover_one()
    {
        PolicyRule[] held = [PolicyRule.Of("get", "", "pods"), PolicyRule.Of("list", "", "pods"), PolicyRule.Of("*", "", "secrets")];
        RuleCover.Uncovered(held, [PolicyRule.Of("get list", "", "pods secrets")]).ShouldBeEmpty();
    }

    [Fact]
    public void What_is_missing_is_told_in_its_smallest_parts_with_their_verbs_together()
    {
        var missing = RuleCover.Uncovered([PolicyRule.Of("get", "", "pods")], [PolicyRule.Of("get delete watch", "", "pods"), PolicyRule.OfUrls("get", "/a")]);
        RuleCover.Compact(missing).Select(rule => rule.ToString()).ShouldBe(
            ["""{NonResourceURLs:["/a"], Verbs:["get"]}""", """{APIGroups:[""], Resources:["pods"], Verbs:["delete" "watch"]}"""]);
    }

    [Fact]
    public void One_object_does_not_cover_all_and_all_cover_one()
    {
        var (one, all) = (PolicyRule.Of("get", "", "pods") with { Names = ["a"] }, PolicyRule.Of("get", "", "pods"));
        RuleCover.Uncovered([one], [all]).ShouldHaveSingleItem();
        RuleCover.Uncovered([all], [one]).ShouldBeEmpty();
    }

    [Fact]
    public void The_resource_star_is_covered_by_itself_alone()
    {
        RuleCover.Uncovered([PolicyRule.Of("get", "", "pods secrets")], [PolicyRule.Of("get", "", "*")]).ShouldHaveSingleItem();
        RuleCover.Uncovered([PolicyRule.Of("get", "", "*/status")], [PolicyRule.Of("get", "", "pods/status")]).ShouldBeEmpty();
        RuleCover.Uncovered([PolicyRule.OfUrls("get", "/a/*")], [PolicyRule.OfUrls("get", "/a/b*")]).ShouldBeEmpty();
    }
}
