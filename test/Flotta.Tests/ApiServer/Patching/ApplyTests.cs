using System.Text.Json.Nodes;
using CsCheck;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Patching;
using Flotta.Tests.ApiServer.Definitions;

namespace Flotta.Tests.ApiServer.Patching;

public sealed class ApplyTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly ResourceDefinition Gizmo = new()
    {
        Group = "ex2.com",
        Version = "v1",
        Plural = "gizmos",
        Singular = "gizmo",
        Kind = "Gizmo",
        ListKind = "GizmoList",
        Namespaced = true,
        Schema = ObjectSchema.Of((JsonObject)JsonNode.Parse(
            """
            {"type":"object","properties":{"spec":{"type":"object","properties":{
              "a":{"type":"string"},"b":{"type":"string"},
              "tags":{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"set"},
              "ports":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["port","proto"],
                "items":{"type":"object","required":["port"],"properties":{"port":{"type":"integer"},"proto":{"type":"string","default":"T"},"note":{"type":"string"}}}},
              "am":{"type":"object","x-kubernetes-map-type":"atomic","properties":{"x":{"type":"string"},"y":{"type":"string"}}},
              "plain":{"type":"array","items":{"type":"string"}},
              "lim":{"type":"object","additionalProperties":{"type":"string"}},
              "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}
            """)!),
    };

    [Fact]
    public void What_is_applied_is_owned_field_by_field_and_item_by_item()
    {
        var made = Apply(null, "m1", """{"a":"red","am":{"x":"1"},"plain":["q"],"lim":{"l":"1"},"tags":["a","b"],"ports":[{"port":1,"proto":"T","note":"n"}]}""");
        Owner(made, "m1").ShouldBe(
            """{"f:spec":{"f:a":{},"f:am":{},"f:lim":{"f:l":{}},"f:plain":{},"f:ports":{"k:{\"port\":1,\"proto\":\"T\"}":{".":{},"f:note":{},"f:port":{},"f:proto":{}}},"f:tags":{"v:\"a\"":{},"v:\"b\"":{}}}}""");
    }

    [Fact]
    public void Two_appliers_share_sets_and_list_maps()
    {
        var first = Apply(null, "m1", """{"tags":["a"],"ports":[{"port":1,"note":"n"}]}""");
        var both = Apply(first, "m2", """{"tags":["c"],"ports":[{"port":2},{"port":1,"proto":"T"}]}""");
        both["spec"]!.ToJsonString().ShouldBe("""{"tags":["a","c"],"ports":[{"port":1,"note":"n","proto":"T"},{"port":2}]}""");
        var second = Apply(both, "m1", "{}");
        second["spec"]!.ToJsonString().ShouldBe("""{"tags":["c"],"ports":[{"port":1,"proto":"T"},{"port":2}]}""");
        Owner(second, "m1").ShouldBe("""{"f:spec":{}}""");
    }

    [Fact]
    public void A_conflict_names_the_fields_and_their_owners()
    {
        var live = Apply(null, "m1", """{"a":"1","b":"1"}""");
        var conflict = Should.Throw<ApplyConflictException>(() => Apply(live, "m2", """{"a":"2","b":"2"}"""));
        conflict.Message.ShouldBe("Apply failed with 2 conflicts: conflicts with \"m1\":\n- .spec.a\n- .spec.b");
        conflict.Causes[0].ToJsonString().ShouldBe("""{"reason":"FieldManagerConflict","message":"conflict with \u0022m1\u0022","field":".spec.a"}""");
        var forced = Apply(live, "m2", """{"a":"2"}""", force: true);
        Owner(forced, "m1").ShouldBe("""{"f:spec":{"f:b":{}}}""");
        Owner(forced, "m2").ShouldBe("""{"f:spec":{"f:a":{}}}""");
    }

    [Fact]
    public void The_same_value_is_shared_without_a_conflict()
    {
        var live = Apply(Apply(null, "m1", """{"a":"1"}"""), "m2", """{"a":"1"}""");
        // It goes when the last of its owners lets it go.
        var one = Apply(live, "m1", "{}");
        one["spec"]!["a"].ShouldNotBeNull();
        (Apply(one, "m2", "{}")["spec"]?["a"]).ShouldBeNull();
    }

    [Fact]
    public void An_update_takes_what_it_changes_and_conflicts_are_told_with_its_version()
    {
        var live = Apply(null, "m1", """{"a":"1","b":"1"}""");
        var body = (JsonObject)live.DeepClone();
        body["spec"]!["a"] = "2";
        body["spec"]!["lim"] = new JsonObject { ["x"] = "1" };
        FieldOwnership.Record(Gizmo, live, body, new FieldManager("putter", "", Start));
        Owner(body, "m1").ShouldBe("""{"f:spec":{"f:b":{}}}""");
        Owner(body, "putter").ShouldBe("""{"f:spec":{"f:a":{},"f:lim":{".":{},"f:x":{}}}}""");
        Should.Throw<ApplyConflictException>(() => Apply(body, "m1", """{"a":"3","b":"1"}""")).Message
            .ShouldBe("Apply failed with 1 conflict: conflict with \"putter\" using ex2.com/v1: .spec.a");
    }

    [Fact]
    public void A_create_is_owned_by_its_creator_as_by_a_real_server()
    {
        var accounts = BuiltInResources.All.First(each => each.Kind == "ServiceAccount");
        var account = (JsonObject)JsonNode.Parse("""{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"sa1"},"secrets":[{"name":"x"}]}""")!;
        FieldOwnership.Record(accounts, null, account, new FieldManager("curl", "", Start));
        Owner(account, "curl").ShouldBe("""{"f:secrets":{".":{},"k:{\"name\":\"x\"}":{}}}""");
    }

    [Fact]
    public void Status_is_owned_apart()
    {
        var definition = Gizmo with { HasStatus = true };
        var live = Apply(null, "m1", """{"a":"1"}""");
        var body = (JsonObject)live.DeepClone();
        body["status"] = new JsonObject { ["phase"] = "up" };
        FieldOwnership.Record(definition, live, body, new FieldManager("m1", "status", Start));
        var entries = body["metadata"]!["managedFields"]!.AsArray();
        entries.Count.ShouldBe(2);
        entries[1]!["subresource"]!.GetValue<string>().ShouldBe("status");
        entries[1]!["fieldsV1"]!.ToJsonString().ShouldBe("""{"f:status":{".":{},"f:phase":{}}}""");
    }

    [Fact]
    public void What_was_never_applied_is_not_lost_by_a_first_apply()
    {
        var live = Document("""{"a":"1","b":"1"}""");
        Should.Throw<ApplyConflictException>(() => Apply(live, "m1", """{"a":"2"}""")).Message.ShouldContain("before-first-apply");
        Apply(live, "m1", """{"a":"2"}""", force: true)["spec"]!["b"]!.GetValue<string>().ShouldBe("1");
    }

    [Theory]
    [InlineData("""{"unknown":1}""", "field not declared in schema")]
    [InlineData("""{"ports":[{"port":1},{"port":1}]}""", "duplicate entries for key")]
    [InlineData("""{"tags":["a","a"]}""", "duplicate entries for key")]
    [InlineData("""{"ports":["x"]}""", "non-map elements")]
    public void A_document_of_a_wrong_shape_is_refused(string spec, string message) =>
        Should.Throw<PatchException>(() => Apply(null, "m1", spec)).Message.ShouldContain(message);

    [Fact]
    public void Updaters_are_kept_to_a_number()
    {
        var live = Apply(null, "m1", """{"a":"1"}""");
        for (var i = 0; i < 30; i++)
        {
            var body = (JsonObject)live.DeepClone();
            body["spec"]!["lim"] ??= new JsonObject();
            body["spec"]!["lim"]!["k" + i] = "1";
            FieldOwnership.Record(Gizmo, live, body, new FieldManager("u" + i, "", Start.AddSeconds(i)));
            live = body;
        }

        live["metadata"]!["managedFields"]!.AsArray().Count.ShouldBeLessThanOrEqualTo(12);
        Owner(live, "ancient-changes").ShouldNotBeNull().ShouldContain("f:k0");
    }

    // The model: each applier's last document, merged in any order without conflicts, is the object; what nobody wants is gone.
    [Fact]
    public void Forced_applies_leave_what_the_appliers_want_last()
    {
        var fields = Values.OneOf("a", "b", "c", "d");
        var step = Gen.Select(Values.OneOf("m1", "m2", "m3"), Gen.Select(fields, Values.OneOf("1", "2")).Array[0, 3]);
        step.Array[1, 8].Sample(
            steps =>
            {
                JsonObject? live = null;
                var wanted = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
                foreach (var (manager, pairs) in steps)
                {
                    var map = pairs.DistinctBy(pair => pair.Item1).ToDictionary(pair => pair.Item1, pair => pair.Item2, StringComparer.Ordinal);
                    live = Apply(live, manager, new JsonObject { ["lim"] = System.Text.Json.JsonSerializer.SerializeToNode(map) }.ToJsonString(), force: true);
                    wanted[manager] = map;
                    // Who wants another value has lost the field.
                    foreach (var other in wanted.Where(pair => pair.Key != manager).Select(pair => pair.Value))
                    {
                        foreach (var (name, value) in map)
                        {
                            if (other.TryGetValue(name, out var theirs) && theirs != value) other.Remove(name);
                        }
                    }
                }

                var expected = wanted.Values.SelectMany(map => map).DistinctBy(pair => pair.Key).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}");
                var actual = (live!["spec"].At("lim") as JsonObject ?? []).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}");
                return string.Join(',', expected) == string.Join(',', actual);
            },
            iter: 2000);
    }

    [Fact]
    public void Applying_the_same_again_changes_nothing()
    {
        var once = Apply(null, "m1", """{"a":"red","tags":["a"],"ports":[{"port":1}],"free":{"x":[1],"y":{"z":1}}}""");
        var twice = FieldOwnership.Apply(Gizmo, once, Document("""{"a":"red","tags":["a"],"ports":[{"port":1}],"free":{"x":[1],"y":{"z":1}}}"""), new FieldManager("m1", "", Start.AddDays(1)), false);
        JsonKinds.Same(once, twice).ShouldBeTrue();
    }

    private static JsonObject Apply(JsonObject? live, string manager, string spec, bool force = false) =>
        FieldOwnership.Apply(Gizmo, live, Document(spec), new FieldManager(manager, "", Start), force);

    private static JsonObject Document(string spec) => new()
    {
        ["apiVersion"] = "ex2.com/v1", ["kind"] = "Gizmo", ["metadata"] = new JsonObject { ["name"] = "g" }, ["spec"] = JsonNode.Parse(spec),
    };

    private static string? Owner(JsonObject item, string manager) => item["metadata"].At("managedFields").Objects()
        .FirstOrDefault(entry => entry["manager"]!.GetValue<string>() == manager)?["fieldsV1"]!.ToJsonString(
            new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
