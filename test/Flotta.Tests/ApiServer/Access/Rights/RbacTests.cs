namespace Flotta.Tests.ApiServer.Access.Rights;

[Collection("api server")]
public sealed class RbacTests(RunningApiServer server)
{
    private const string Rbac = "/apis/rbac.authorization.k8s.io/v1";

    [Fact]
    public async Task Who_has_no_role_is_refused_in_the_words_of_Kubernetes()
    {
        using var nobody = Person.With(server, "nobody");
        var refused = await nobody.GetAsync("/api/v1/namespaces/default/secrets");
        refused.Code.ShouldBe(403);
        refused.Message.ShouldBe("""secrets is forbidden: User "nobody" cannot list resource "secrets" in API group "" in the namespace "default" """.TrimEnd());
        (await nobody.GetAsync("/apis")).Code.ShouldBe(200);
        (await nobody.GetAsync("/version")).Code.ShouldBe(200);
    }

    [Fact]
    public async Task A_binding_counts_from_the_answer_to_its_write_until_the_answer_to_its_deletion()
    {
        var within = await server.NamespaceAsync();
        using var alice = Person.With(server, "alice-" + within);
        var path = $"/api/v1/namespaces/{within}/configmaps";
        for (var i = 0; i < 3; i++)
        {
            (await alice.GetAsync(path)).Code.ShouldBe(403);
            await BindAsync(within, "view", "alice-" + within);
            (await alice.GetAsync(path)).Code.ShouldBe(200);
            (await alice.GetAsync("/api/v1/namespaces/default/configmaps")).Code.ShouldBe(403);
            (await server.DeleteAsync($"{Rbac}/namespaces/{within}/rolebindings/view")).Code.ShouldBe(200);
        }

        (await alice.GetAsync(path)).Code.ShouldBe(403);
    }

    [Fact]
    public async Task Roles_that_carry_the_label_are_part_of_view_edit_and_admin()
    {
        var group = await server.DefineAsync();
        var within = await server.NamespaceAsync();
        using var carol = Person.With(server, "carol-" + within);
        await BindAsync(within, "admin", "carol-" + within);
        (await carol.GetAsync($"/apis/{group}/v1/namespaces/{within}/things")).Code.ShouldBe(403);
        var made = await server.PostAsync(Rbac + "/clusterroles", $$"""
            {"metadata":{"name":"things-{{within}}","labels":{"rbac.authorization.k8s.io/aggregate-to-view":"true"} },
             "rules":[{"apiGroups":["{{group}}"],"resources":["things"],"verbs":["list"]}]}
            """);
        made.Code.ShouldBe(201);
        // view is part of edit, and edit of admin.
        await Eventually.True(async () => (await carol.GetAsync($"/apis/{group}/v1/namespaces/{within}/things")).Code == 200);
        await server.DeleteAsync($"{Rbac}/clusterroles/things-{within}");
        await Eventually.True(async () => (await carol.GetAsync($"/apis/{group}/v1/namespaces/{within}/things")).Code == 403);
    }

    [Fact]
    public async Task Nobody_gives_what_they_do_not_have()
    {
        var within = await server.NamespaceAsync();
        using var admin = Person.With(server, "admin-" + within);
        await BindAsync(within, "admin", "admin-" + within);
        var refused = await admin.PostAsync(
            $"{Rbac}/namespaces/{within}/roles", """{"metadata":{"name":"x"},"rules":[{"apiGroups":["example.com"],"resources":["y"],"verbs":["get"]}]}""");
        refused.Code.ShouldBe(403);
        refused.Message.ShouldEndWith("is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"example.com\"], Resources:[\"y\"], Verbs:[\"get\"]}");
        (await admin.PostAsync($"{Rbac}/namespaces/{within}/rolebindings", Binding("up", "ClusterRole", "cluster-admin", "me"))).Code.ShouldBe(403);
        (await admin.PostAsync($"{Rbac}/namespaces/{within}/rolebindings", Binding("down", "ClusterRole", "view", "you"))).Code.ShouldBe(201);
    }

    [Fact]
    public async Task An_apply_that_makes_an_object_needs_create_too()
    {
        var within = await server.NamespaceAsync();
        var name = "patcher-" + within;
        await server.PostAsync($"{Rbac}/namespaces/{within}/roles", """{"metadata":{"name":"p"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["patch"]}]}""");
        await server.PostAsync($"{Rbac}/namespaces/{within}/rolebindings", Binding("p", "Role", "p", name));
        using var patcher = Person.With(server, name);
        var path = $"/api/v1/namespaces/{within}/configmaps/c?fieldManager=m";
        (await ApplyAsync()).Message.ShouldContain("cannot create resource \"configmaps\"");
        await server.PostAsync($"/api/v1/namespaces/{within}/configmaps", """{"metadata":{"name":"c"}}""");
        (await ApplyAsync()).Code.ShouldBe(200);

        async Task<Reply> ApplyAsync()
        {
            using var kubeconfig = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(server.Server.Kubeconfig(name)));
            using var http = RunningApiServer.ClientOf(k8s.KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
            using var content = new StringContent("""{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"b"}}""", System.Text.Encoding.UTF8, "application/apply-patch+yaml");
            using var answer = await http.PatchAsync(new Uri(server.Server.Address, path), content);
            return new((int)answer.StatusCode, (System.Text.Json.Nodes.JsonObject)System.Text.Json.Nodes.JsonNode.Parse(await answer.Content.ReadAsStringAsync())!, []);
        }
    }

    [Fact]
    public async Task A_name_in_a_field_selector_that_is_none_opens_nothing()
    {
        var within = await server.NamespaceAsync();
        var name = "reader-" + within;
        await server.PostAsync(
            $"{Rbac}/namespaces/{within}/roles", """{"metadata":{"name":"r"},"rules":[{"apiGroups":[""],"resources":["secrets"],"resourceNames":["one"],"verbs":["list"]}]}""");
        await server.PostAsync($"{Rbac}/namespaces/{within}/rolebindings", Binding("r", "Role", "r", name));
        using var reader = Person.With(server, name);
        var path = $"/api/v1/namespaces/{within}/secrets?fieldSelector=";
        (await reader.GetAsync(path + "metadata.name%3Done")).Code.ShouldBe(200);
        foreach (var evil in (string[])["metadata.name!=one", "metadata.name=two", @"type!=a\,metadata.name=one", "type!=metadata.name=one", "metadata.name=two,metadata.name=one"])
            (await reader.GetAsync(path + Uri.EscapeDataString(evil))).Code.ShouldBe(403, evil);
    }

    [Fact]
    public async Task Who_may_impersonate_has_the_rights_of_the_other_and_not_their_own()
    {
        (await Person.With(server, "mallory").GetAsync("/api/v1/namespaces", ("Impersonate-User", "admin"), ("Impersonate-Group", "system:masters"))).Message
            .ShouldBe("users \"admin\" is forbidden: User \"mallory\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope");
        using var admin = Person.With(server, "admin", "system:masters");
        (await admin.GetAsync("/api/v1/namespaces", ("Impersonate-User", "mallory"))).Code.ShouldBe(403);
        (await admin.GetAsync("/api/v1/namespaces", ("Impersonate-Group", "dev"))).Code.ShouldBe(500);
    }

    [Fact]
    public async Task A_default_role_that_lost_rules_has_them_again_after_a_start_and_keeps_what_was_added()
    {
        using var folder = new TemporaryFolder();
        var path = Rbac + "/clusterroles/";
        await using (var first = await OpenServer.StartAsync(folder.Path))
        {
            (await first.Admin.SendAsync(HttpMethod.Put, path + "system:public-info-viewer", """
                {"metadata":{"name":"system:public-info-viewer","annotations":{"rbac.authorization.kubernetes.io/autoupdate":"true"}},"rules":[{"nonResourceURLs":["/mine"],"verbs":["get"]}]}
                """)).Code.ShouldBe(200);
            (await first.Admin.SendAsync(HttpMethod.Put, path + "system:discovery", """
                {"metadata":{"name":"system:discovery","annotations":{"rbac.authorization.kubernetes.io/autoupdate":"false"}},"rules":[]}
                """)).Code.ShouldBe(200);
            (await first.Admin.SendAsync(HttpMethod.Delete, path + "view", null)).Code.ShouldBe(200);
        }

        await using var second = await OpenServer.StartAsync(folder.Path);
        var rules = (await second.Admin.GetAsync(path + "system:public-info-viewer")).Body["rules"]!.ToJsonString();
        rules.ShouldContain("/mine");
        rules.ShouldContain("/version");
        ((await second.Admin.GetAsync(path + "system:discovery")).Body["rules"]?.AsArray().Count ?? 0).ShouldBe(0);
        (await second.Admin.GetAsync(path + "view")).Body["rules"]!.AsArray().Count.ShouldBeGreaterThan(3);
    }

    private async Task BindAsync(string within, string role, string user) =>
        (await server.PostAsync($"{Rbac}/namespaces/{within}/rolebindings", Binding(role, "ClusterRole", role, user))).Code.ShouldBe(201);

    private static string Binding(string name, string kind, string role, string user) => $$"""
        {"metadata":{"name":"{{name}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"{{kind}}","name":"{{role}}"},"subjects":[{"kind":"User","name":"{{user}}"}]}
        """;
}
