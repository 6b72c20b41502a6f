using Flotta.Resources;
using k8s.Models;

namespace Flotta.Tests.Resources;

public sealed class PlacementTests
{
    private static readonly Dictionary<string, string> Labels = new(StringComparer.Ordinal) { ["kind"] = "pump", ["site/floor"] = "2", ["workload/w"] = "true" };

    [Theory]
    [InlineData("In", "kind", "pump,lamp", true)]
    [InlineData("In", "kind", "lamp", false)]
    [InlineData("In", "absent", "pump", false)]
    [InlineData("NotIn", "kind", "lamp", true)]
    [InlineData("NotIn", "kind", "pump", false)]
    [InlineData("NotIn", "absent", "pump", true)]
    [InlineData("Exists", "site/floor", null, true)]
    [InlineData("Exists", "absent", null, false)]
    [InlineData("DoesNotExist", "absent", null, true)]
    [InlineData("DoesNotExist", "kind", null, false)]
    [InlineData("Exists", "workload/w", null, false)]
    [InlineData("DoesNotExist", "workload/w", null, true)]
    [InlineData("In", "workload/w", "true", false)]
    public void Expressions_mean_what_they_mean_in_Kubernetes(string @operator, string key, string? values, bool concerns) =>
        Placement.Concerns(Selecting(@operator, key, values), "dev", Labels).ShouldBe(concerns);

    [Theory]
    [InlineData("In", null, "needs values")]
    [InlineData("Exists", "a", "takes no values")]
    [InlineData("Near", "a", "not a valid operator")]
    [InlineData(null, null, "not a valid operator")]
    public void An_expression_that_makes_no_sense_matches_nothing_and_says_why(string? @operator, string? values, string why)
    {
        var workload = Selecting(@operator!, "kind", values);
        Placement.Concerns(workload, "dev", Labels).ShouldBeFalse();
        Placement.Problem(workload).ShouldNotBeNull().ShouldContain(why);
    }

    [Fact]
    public void All_labels_of_a_selector_have_to_match()
    {
        Placement.Concerns(Matching(("kind", "pump"), ("site/floor", "2")), "dev", Labels).ShouldBeTrue();
        Placement.Concerns(Matching(("kind", "pump"), ("site/floor", "3")), "dev", Labels).ShouldBeFalse();
    }

    [Fact]
    public void An_empty_selector_is_every_device_and_none_at_all_is_none()
    {
        Placement.Concerns(Workload(new() { Type = "pod", DeviceSelector = new() }), "dev", Labels).ShouldBeTrue();
        Placement.Concerns(Workload(new() { Type = "pod" }), "dev", Labels).ShouldBeFalse();
    }

    [Fact]
    public void A_name_wins_over_the_selector()
    {
        var workload = Workload(new() { Type = "pod", Device = "other", DeviceSelector = new() });
        Placement.Concerns(workload, "dev", Labels).ShouldBeFalse();
        Placement.Concerns(workload, "other", Labels).ShouldBeTrue();
    }

    [Fact]
    public void A_workload_that_is_being_deleted_concerns_nobody()
    {
        var workload = Workload(new() { Type = "pod", Device = "dev" });
        workload.Metadata.DeletionTimestamp = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        Placement.Concerns(workload, "dev", Labels).ShouldBeFalse();
    }

    [Fact]
    public void Devices_of_other_namespaces_and_leaving_devices_run_nothing()
    {
        var workload = Workload(new() { Type = "pod", Device = "dev" });
        Placement.Concerns(workload, new EdgeDevice { Metadata = new() { Name = "dev", NamespaceProperty = "ns" } }).ShouldBeTrue();
        Placement.Concerns(workload, new EdgeDevice { Metadata = new() { Name = "dev", NamespaceProperty = "elsewhere" } }).ShouldBeFalse();
        var leaving = new V1ObjectMeta { Name = "dev", NamespaceProperty = "ns", DeletionTimestamp = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc) };
        Placement.Concerns(workload, new EdgeDevice { Metadata = leaving }).ShouldBeFalse();
    }

    private static EdgeWorkload Workload(EdgeWorkloadSpec spec) => new() { Metadata = new() { Name = "w", NamespaceProperty = "ns" }, Spec = spec };

    private static EdgeWorkload Matching(params (string Key, string Value)[] labels) => Workload(new()
    {
        Type = "pod",
        DeviceSelector = new() { MatchLabels = labels.ToDictionary(label => label.Key, label => label.Value, StringComparer.Ordinal) },
    });

    private static EdgeWorkload Selecting(string @operator, string key, string? values) => Workload(new()
    {
        Type = "pod",
        DeviceSelector = new() { MatchExpressions = [new() { Key = key, OperatorProperty = @operator, Values = values?.Split(',') }] },
    });
}
