namespace Flotta.Tests.ApiServer.Patching;

public sealed class ServerSideApplyTests(RunningApiServer server) : IClassFixture<RunningApiServer>
{
    private const string Apply = "application/apply-patch+yaml";

    [Fact]
    public async Task An_apply_makes_the_object_and_the_next_one_changes_only_what_it_says()
    {
        var made = await server.SendAsync(HttpMethod.Patch, Path("a", "m1"), "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '1', y: '1'}}", Apply);
        made.Code.ShouldBe(201);
        var other = await server.SendAsync(HttpMethod.Patch, Path("a", "m2"), "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {z: '2'}}", Apply);
        other.Code.ShouldBe(200);
        var fewer = await server.SendAsync(HttpMethod.Patch, Path("a", "m1"), "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '1'}}", Apply);
        fewer.Body["data"]!.ToJsonString().ShouldBe("""{"x":"1","z":"2"}""");
        fewer.Body["metadata"]!["managedFields"]!.AsArray().Select(entry => (string)entry!["manager"]!).ShouldBe(["m1", "m2"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_conflict_is_409_with_a_cause_for_each_field()
    {
        await server.SendAsync(HttpMethod.Patch, Path("b", "m1"), "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {x: '1'}}", Apply);
        var conflict = await server.SendAsync(HttpMethod.Patch, Path("b", "m2"), "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {x: '2'}}", Apply);
        conflict.Code.ShouldBe(409);
        ((string)conflict.Body["message"]!).ShouldBe("Apply failed with 1 conflict: conflict with \"m1\": .data.x");
        var forced = await server.SendAsync(HttpMethod.Patch, Path("b", "m2") + "&force=true", "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {x: '2'}}", Apply);
        ((string)forced.Body["data"]!["x"]!).ShouldBe("2");
    }

    [Fact]
    public async Task Nothing_is_written_when_the_same_is_applied_again()
    {
        const string body = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {x: '1'}}";
        var first = await server.SendAsync(HttpMethod.Patch, Path("c", "m1"), body, Apply);
        var again = await server.SendAsync(HttpMethod.Patch, Path("c", "m1"), body, Apply);
        ((string)again.Body["metadata"]!["resourceVersion"]!).ShouldBe((string)first.Body["metadata"]!["resourceVersion"]!);
    }

    [Fact]
    public async Task A_manager_is_needed()
    {
        var refused = await server.SendAsync(HttpMethod.Patch, "/api/v1/namespaces/default/configmaps/d", "{apiVersion: v1, kind: ConfigMap, metadata: {name: d}}", Apply);
        refused.Code.ShouldBe(422);
        ((string)refused.Body["message"]!).ShouldBe("PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch");
    }

    [Fact]
    public async Task What_is_applied_to_an_object_that_is_gone_does_not_make_another()
    {
        const string body = "{apiVersion: v1, kind: ConfigMap, metadata: {name: e, uid: 7d0e}}";
        var refused = await server.SendAsync(HttpMethod.Patch, Path("e", "m1"), body, Apply);
        refused.Code.ShouldBe(409);
        refused.Reason.ShouldBe("Conflict");
        refused.Message.ShouldBe(
            "Operation cannot be fulfilled on configmaps \"e\": uid mismatch: the provided object specified uid 7d0e, and no existing object was found");
        (await server.GetAsync("/api/v1/namespaces/default/configmaps/e")).Code.ShouldBe(404);
    }

    private static string Path(string name, string manager) => $"/api/v1/namespaces/default/configmaps/{name}?fieldManager={manager}";

    [Theory]
    [InlineData("""{"apiVersion":"v1","kind":"ConfigMap","metadata":[null]}""")]
    [InlineData("""{"apiVersion":"v1","kind":"ConfigMap","metadata":"a"}""")]
    [InlineData("[]")]
    public async Task What_is_no_object_of_the_kind_is_refused_before_it_is_merged(string body)
    {
        var space = await server.NamespaceAsync();
        var refused = await server.SendAsync(HttpMethod.Patch, $"/api/v1/namespaces/{space}/configmaps/a?fieldManager=m", body, "application/apply-patch+yaml");
        refused.Code.ShouldBe(400, refused.Body.ToJsonString());
    }
}
