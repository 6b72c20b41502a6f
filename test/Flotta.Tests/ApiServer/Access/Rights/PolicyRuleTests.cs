using Flotta.ApiServer.Access.Rights;

namespace Flotta.Tests.ApiServer.Access.Rights;

public sealed class PolicyRuleTests
{
    [Theory]
    [InlineData("pods", "pods", "", true)]
    [InlineData("pods", "pods", "log", false)]
    [InlineData("pods/log", "pods", "log", true)]
    [InlineData("pods/log", "pods", "", false)]
    [InlineData("*/log", "pods", "log", true)]
    [InlineData("*/log", "pods", "blog", false)]
    [InlineData("*/log", "pods", "", false)]
    [InlineData("pods/*", "pods", "log", false)]
    [InlineData("*", "pods", "log", true)]
    [InlineData("/log", "", "log", false)]
    public void A_rule_names_a_resource_a_part_of_it_or_that_part_of_all(string rule, string resource, string subresource, bool allowed) =>
        PolicyRule.Of("get", "", rule).Allows(new("get", "", "v1", resource, subresource, "", "")).ShouldBe(allowed);

    [Fact]
    public void A_rule_with_names_is_not_about_the_whole()
    {
        var rule = PolicyRule.Of("get delete", "", "secrets") with { Names = ["one"] };
        rule.Allows(Get("one")).ShouldBeTrue();
        rule.Allows(Get("two")).ShouldBeFalse();
        rule.Allows(Get("")).ShouldBeFalse();

        static AccessQuestion Get(string name) => new("get", "", "v1", "secrets", "", "", name);
    }

    [Theory]
    [InlineData("/apis/*", "/apis/x/y", true)]
    [InlineData("/apis/*", "/apis", false)]
    [InlineData("/api*", "/apis", true)]
    [InlineData("/version", "/version/", false)]
    [InlineData("*", "/anything", true)]
    public void A_path_may_end_in_an_asterisk(string url, string path, bool allowed) =>
        PolicyRule.OfUrls("get", url).Allows(AccessQuestion.OfPath("get", path)).ShouldBe(allowed);

    [Fact]
    public void A_rule_about_resources_says_nothing_of_paths()
    {
        PolicyRule.Of("*", "*", "*").Allows(AccessQuestion.OfPath("get", "/metrics")).ShouldBeFalse();
        PolicyRule.OfUrls("*", "*").Allows(new("get", "", "v1", "pods", "", "", "")).ShouldBeFalse();
    }
}
