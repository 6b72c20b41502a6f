using CsCheck;
using Flotta.Resources;

namespace Flotta.Tests.Resources;

public sealed class LabelValueTests
{
    [Theory]
    [InlineData("Intel(R) Core(TM) i7-8665U CPU @ 1.90GHz", "intelrcoretmi7-8665ucpu1.90ghz")]
    [InlineData("x86_64", "x86_64")]
    [InlineData("PF20YKWG;", "pf20ykwg")]
    [InlineData("  LENOVO  ", "lenovo")]
    [InlineData("é-abc", "abc")]
    [InlineData("", null)]
    [InlineData(null, null)]
    [InlineData("$!@#", null)]
    [InlineData("-----", null)]
    public void Hardware_facts_become_label_values(string? fact, string? value) => LabelValue.Normalize(fact).ShouldBe(value);

    [Fact]
    public void A_long_fact_is_cut_where_the_value_stays_valid() =>
        LabelValue.Normalize(new string('a', 62) + "-" + new string('b', 40)).ShouldBe(new string('a', 62));

    [Fact]
    public void Any_text_becomes_a_valid_label_value_or_none() =>
        Gen.String.Sample(text => LabelValue.Normalize(text) is not { } value
            || System.Text.RegularExpressions.Regex.IsMatch(value, "^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$", System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)));

    [Fact]
    public void A_short_name_is_its_own_label() => Names.Labels.Workload("nginx").ShouldBe("workload/nginx");

    [Fact]
    public void Long_names_with_the_same_start_get_labels_of_their_own()
    {
        var start = new string('a', 70);
        var (one, other) = (LabelValue.Fit(start + "1"), LabelValue.Fit(start + "2"));
        one.Length.ShouldBe(63);
        one.ShouldNotBe(other);
        one.ShouldBe(LabelValue.Fit(start + "1"));
    }
}
