using CsCheck;
using Flotta.Operator.Workloads;
using Flotta.Resources;

namespace Flotta.Tests.Operator;

public sealed class PlacementPlanTests
{
    [Fact]
    public void What_is_right_already_needs_nothing()
    {
        var device = Device(["w"], ("workload/w", "true"));
        PlacementPlan.For(device, [For("w", "dev")]).IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void A_kept_workload_keeps_what_the_device_said_of_it_and_its_place()
    {
        var running = new DeviceWorkload { Name = "z", Phase = "Running", Message = "m" };
        var device = Device([], ("workload/z", "true")) with { Status = new() { Workloads = [running, new() { Name = "gone", Phase = "Running" }] } };
        var plan = PlacementPlan.For(device, [For("z", "dev"), For("a", "dev"), For("gone", "other")]);
        plan.Entries.ShouldBe([running, new DeviceWorkload { Name = "a", Phase = "Deploying" }]);
        plan.Labels.ShouldBe(new Dictionary<string, string?>(StringComparer.Ordinal) { ["workload/a"] = "true" });
    }

    [Fact]
    public void Labels_and_entries_are_mended_apart()
    {
        var onlyLabel = PlacementPlan.For(Device(["w"]), [For("w", "dev")]);
        onlyLabel.Entries.ShouldBeNull();
        onlyLabel.Labels["workload/w"].ShouldBe("true");
        var onlyEntry = PlacementPlan.For(Device([], ("workload/w", "true")), [For("w", "dev")]);
        onlyEntry.Entries.ShouldNotBeNull();
        onlyEntry.Labels.ShouldBeEmpty();
    }

    [Fact]
    public void A_label_that_is_not_true_goes_and_other_labels_stay()
    {
        var plan = PlacementPlan.For(Device([], ("workload/stale", "true"), ("mine", "yes")), []);
        plan.Labels.ShouldBe(new Dictionary<string, string?>(StringComparer.Ordinal) { ["workload/stale"] = null });
        plan.LabelsPatch().ToJsonString().ShouldBe("""{"metadata":{"labels":{"workload/stale":null}}}""");
    }

    [Fact]
    public void The_status_is_written_on_top_of_what_was_read_only() =>
        PlacementPlan.For(Device([]), [For("w", "dev")]).StatusPatch("7").ToJsonString()
            .ShouldBe("""{"metadata":{"resourceVersion":"7"},"status":{"workloads":[{"name":"w","phase":"Deploying"}]}}""");

    [Fact]
    public void A_plan_carried_out_leaves_exactly_what_placement_says_and_nothing_more_to_do()
    {
        var name = Gen.Char['a', 'f'].Select(letter => letter.ToString());
        var places = Gen.Select(name, Gen.Bool, (workload, here) => For(workload, here ? "dev" : "other"));
        Gen.Select(places.List[0, 6], name.List[0, 6], name.List[0, 6]).Sample((workloads, entries, labels) =>
        {
            var distinct = workloads.DistinctBy(workload => workload.Metadata.Name, StringComparer.Ordinal).ToList();
            var device = Device([.. entries], [.. labels.Distinct(StringComparer.Ordinal).Select(label => ("workload/" + label, "true"))]);
            var after = CarryOut(device, PlacementPlan.For(device, distinct));
            var wanted = distinct.Where(workload => workload.Spec.Device == "dev").Select(workload => workload.Metadata.Name).Order(StringComparer.Ordinal).ToList();
            (after.Status?.Workloads ?? []).Select(entry => entry.Name).Order(StringComparer.Ordinal).ShouldBe(wanted);
            after.Metadata.Labels.Keys.Order(StringComparer.Ordinal).ShouldBe(wanted.Select(workload => "workload/" + workload));
            PlacementPlan.For(after, distinct).IsEmpty.ShouldBeTrue();
        });
    }

    private static EdgeDevice CarryOut(EdgeDevice device, PlacementPlan plan)
    {
        var labels = device.Metadata.Labels.Where(label => !plan.Labels.ContainsKey(label.Key)).ToDictionary(StringComparer.Ordinal);
        foreach (var (key, value) in plan.Labels.Where(label => label.Value is not null)) labels[key] = value!;
        return device with { Metadata = device.Metadata with { Labels = labels }, Status = new() { Workloads = plan.Entries ?? device.Status?.Workloads } };
    }

    private static EdgeWorkload For(string name, string device) =>
        new() { Metadata = new() { Name = name, NamespaceProperty = "ns" }, Spec = new() { Type = "pod", Device = device } };

    private static EdgeDevice Device(string[] workloads, params (string Key, string Value)[] labels) => new()
    {
        Metadata = new() { Name = "dev", NamespaceProperty = "ns", Labels = labels.ToDictionary(label => label.Key, label => label.Value, StringComparer.Ordinal) },
        Status = new() { Workloads = [.. workloads.Select(name => new DeviceWorkload { Name = name, Phase = "Running" })] },
    };
}
