namespace Flotta.Tests.ApiServer.Verbs;

[Collection("api server")]
public sealed class OwnerTests(RunningApiServer server)
{
    [Fact]
    public async Task What_has_lost_its_last_owner_is_deleted()
    {
        var (path, first, second) = await OwnersAsync();
        await ChildAsync(path, "both", first, second);
        await ChildAsync(path, "one", first);
        await server.DeleteAsync(path + "/first");
        await Eventually.True(async () => (await server.GetAsync(path + "/one")).Code == 404);
        await Eventually.True(async () => (await server.GetAsync(path + "/both")).Body["metadata"]!["ownerReferences"]!.AsArray().Count == 1);
        await server.DeleteAsync(path + "/second");
        await Eventually.True(async () => (await server.GetAsync(path + "/both")).Code == 404);
    }

    [Fact]
    public async Task Grandchildren_go_too()
    {
        var (path, first, _) = await OwnersAsync();
        var child = await ChildAsync(path, "child", first);
        await ChildAsync(path, "grandchild", ("child", child));
        await server.DeleteAsync(path + "/first");
        await Eventually.True(async () => (await server.GetAsync(path + "/grandchild")).Code == 404);
    }

    [Fact]
    public async Task An_owner_that_never_was_owns_nothing()
    {
        var (path, first, _) = await OwnersAsync();
        await ChildAsync(path, "child", (first.Name, Guid.NewGuid().ToString()));
        await Eventually.True(async () => (await server.GetAsync(path + "/child")).Code == 404);
    }

    [Fact]
    public async Task In_the_foreground_the_owner_goes_last()
    {
        var (path, first, _) = await OwnersAsync();
        await ChildAsync(path, "child", first);
        await server.MergeAsync(path + "/child", """{"metadata":{"finalizers":["example.com/hold"]}}""");
        (await server.DeleteAsync(path + "/first?propagationPolicy=Foreground")).Code.ShouldBe(200);
        await Eventually.True(async () => (await server.GetAsync(path + "/child")).Body["metadata"]!["deletionTimestamp"] is not null);
        (await server.GetAsync(path + "/first")).Body["metadata"]!["finalizers"]!.ToJsonString().ShouldBe("""["foregroundDeletion"]""");
        await server.MergeAsync(path + "/child", """{"metadata":{"finalizers":null}}""");
        await Eventually.True(async () => (await server.GetAsync(path + "/first")).Code == 404);
    }

    [Fact]
    public async Task Orphans_stay_and_forget_their_owner()
    {
        var (path, first, _) = await OwnersAsync();
        await ChildAsync(path, "child", first);
        await server.DeleteAsync(path + "/first", """{"propagationPolicy":"Orphan"}""");
        await Eventually.True(async () => (await server.GetAsync(path + "/first")).Code == 404);
        var child = (await server.GetAsync(path + "/child")).Body;
        (child["metadata"]!["ownerReferences"]?.AsArray().Count ?? 0).ShouldBe(0);
    }

    [Fact]
    public async Task What_is_in_no_namespace_has_no_owner_in_one_whatever_it_says()
    {
        const string Roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
        async Task RoleAsync(string name, string kind, string owner, string uid) => (await server.PostAsync(Roles, $$$"""
            {"metadata":{"name":"{{{name}}}","ownerReferences":[{"apiVersion":"v1","kind":"{{{kind}}}","name":"{{{owner}}}","uid":"{{{uid}}}","blockOwnerDeletion":true}]}}
            """)).Code.ShouldBe(201);
        var (path, first, second) = await OwnersAsync();
        var (kept, lost) = ("kept-" + first.Uid, "lost-" + first.Uid);
        await RoleAsync(kept, "ConfigMap", "first", first.Uid);
        // When this one has gone, the other has been looked at.
        await RoleAsync(lost, "Namespace", "never-was", second.Uid);
        await Eventually.True(async () => (await server.GetAsync($"{Roles}/{lost}")).Code == 404);
        (await server.GetAsync($"{Roles}/{kept}")).Code.ShouldBe(200);
        (await server.DeleteAsync(path + "/first?propagationPolicy=Foreground")).Code.ShouldBe(200);
        await Eventually.True(async () => (await server.GetAsync(path + "/first")).Code == 404);
        (await server.GetAsync($"{Roles}/{kept}")).Code.ShouldBe(200);
    }

    private async Task<(string Path, (string Name, string Uid) First, (string Name, string Uid) Second)> OwnersAsync()
    {
        var path = $"/api/v1/namespaces/{await server.NamespaceAsync()}/configmaps";
        return (path, ("first", await ChildAsync(path, "first")), ("second", await ChildAsync(path, "second")));
    }

    private async Task<string> ChildAsync(string path, string name, params (string Name, string Uid)[] owners)
    {
        var references = string.Join(',', owners.Select(owner =>
            $$"""{"apiVersion":"v1","kind":"ConfigMap","name":"{{owner.Name}}","uid":"{{owner.Uid}}","blockOwnerDeletion":true}"""));
        var made = await server.PostAsync(path, $$$"""{"metadata":{"name":"{{{name}}}","ownerReferences":[{{{references}}}]}}""");
        made.Code.ShouldBe(201, made.Body.ToJsonString());
        return (string)made.Body["metadata"]!["uid"]!;
    }
}
