using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Flotta.ApiServer.Definitions;

namespace Flotta.Tests.ApiServer.Definitions;

public sealed class CustomResourceTests
{
    // Ours to decide, or worded by another regular expression engine.
    private static readonly string[] Explained = ["validations", "bad pattern"];

    public static TheoryData<string> Names =>
        [.. Golden.Cases("definitions.cases.json").Select(each => each!["name"]!.GetValue<string>()).Where(name => !Explained.Contains(name, StringComparer.Ordinal))];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_definition_is_judged_as_by_a_real_server(string name)
    {
        var golden = Golden.Cases("definitions.cases.json").First(each => each!["name"]!.GetValue<string>() == name)!;
        var crd = (JsonObject)golden["crd"]!;
        BuiltInResources.CustomResourceDefinition.Schema!.Prune(crd);
        BuiltInResources.CustomResourceDefinition.Schema.Default(crd);
        CustomResources.Default(crd);
        var errors = CustomResources.Validate(crd, null).Select(Plain).Order(StringComparer.Ordinal).ToList();
        errors.ShouldBe((golden["errors"] as JsonArray ?? []).Select(each => each!.GetValue<string>()).Order(StringComparer.Ordinal).ToList());
    }

    [Fact]
    public void Validation_rules_and_broken_patterns_are_refused()
    {
        foreach (var name in Explained)
        {
            var crd = (JsonObject)Golden.Cases("definitions.cases.json").First(each => each!["name"]!.GetValue<string>() == name)!["crd"]!;
            CustomResources.Default(crd);
            CustomResources.Validate(crd, null).Count.ShouldBe(1);
        }
    }

    [Fact]
    public void Names_are_filled_in_and_versions_are_ordered()
    {
        var crd = Golden.Widgets();
        var versions = (JsonArray)crd["spec"]!["versions"]!;
        foreach (var name in (string[])["v1beta1", "v2", "v10alpha1"])
        {
            var version = (JsonObject)versions[0]!.DeepClone();
            version["name"] = name;
            version["storage"] = false;
            versions.Add((JsonNode)version);
        }

        CustomResources.Default(crd);
        crd["spec"]!["names"]!["singular"]!.GetValue<string>().ShouldBe("widget");
        crd["spec"]!["names"]!["listKind"]!.GetValue<string>().ShouldBe("WidgetList");
        CustomResources.Parse(crd).Select(each => each.Version).ShouldBe(["v2", "v1", "v1beta1", "v10alpha1"]);
        CustomResources.StorageVersion(crd).ShouldBe("v1");
    }

    [Fact]
    public void A_definition_is_established_once_and_keeps_its_times()
    {
        var crd = Golden.Widgets();
        CustomResources.Default(crd);
        var start = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        CustomResources.Establish(crd, null, start);
        var first = crd["status"]!.ToJsonString();
        CustomResources.Establish(crd, null, start.AddDays(1));
        crd["status"]!.ToJsonString().ShouldBe(first);
        crd["status"]!["conditions"]!.Objects().Select(each => $"{each["type"]}={each["status"]}").ShouldBe(["NamesAccepted=True", "Established=True"]);
        crd["status"]!["storedVersions"]!.Texts().ShouldBe(["v1"]);
        crd["status"]!["acceptedNames"]!["plural"]!.GetValue<string>().ShouldBe("widgets");
    }

    [Fact]
    public void A_name_in_use_is_told_in_a_condition()
    {
        var crd = Golden.Widgets();
        CustomResources.Default(crd);
        CustomResources.Establish(crd, "\"widgets\" is already in use", DateTimeOffset.UnixEpoch);
        crd["status"]!["conditions"]!.Objects().Select(each => $"{each["type"]}={each["status"]}:{each["reason"]}")
            .ShouldBe(["NamesAccepted=False:NamesConflict", "Established=False:NotAccepted"]);
    }

    [Fact]
    public void What_is_established_keeps_its_scope_and_kind()
    {
        var old = Golden.Widgets();
        CustomResources.Default(old);
        CustomResources.Establish(old, null, DateTimeOffset.UnixEpoch);
        var changed = (JsonObject)old.DeepClone();
        changed["spec"]!["scope"] = "Cluster";
        changed["spec"]!["names"]!["kind"] = "Gadget";
        changed["spec"]!["names"]!["listKind"] = "GadgetList";
        CustomResources.Validate(changed, old).Select(error => error.ToString()).ShouldBe(
            ["spec.scope: Invalid value: \"Cluster\": field is immutable", "spec.names.kind: Invalid value: \"Gadget\": field is immutable"]);
    }

    // Go prints whole structures there, with addresses in memory.
    private static string Plain(FieldError error) => Regex.Replace(
        error.ToString(), "^(spec.versions|status.storedVersions): Invalid value: (map|\\[\\]interface).*\\}: ", "$1: Invalid value: …: ", RegexOptions.None, TimeSpan.FromSeconds(1));
}
