namespace Flotta.Tests.ApiServer.Verbs;

[Collection("api server")]
public sealed class CreateTests(RunningApiServer server)
{
    [Fact]
    public async Task A_new_object_gets_its_identity_from_the_server()
    {
        var space = await server.NamespaceAsync();
        var made = await server.PostAsync($"/api/v1/namespaces/{space}/configmaps", """
            {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","uid":"mine","creationTimestamp":"2001-01-01T00:00:00Z","deletionTimestamp":"2001-01-01T00:00:00Z"},"data":{"x":"1"}}
            """);
        made.Code.ShouldBe(201);
        Guid.TryParse((string?)made.Body["metadata"]!["uid"], out _).ShouldBeTrue();
        ((string?)made.Body["metadata"]!["creationTimestamp"]).ShouldNotBe("2001-01-01T00:00:00Z");
        made.Body["metadata"]!["deletionTimestamp"].ShouldBeNull();
        ((string?)made.Body["metadata"]!["namespace"]).ShouldBe(space);
        (await server.GetAsync($"/api/v1/namespaces/{space}/configmaps/a")).Body.ToJsonString().ShouldBe(made.Body.ToJsonString());
    }

    [Fact]
    public async Task A_name_is_given_once()
    {
        var space = await server.NamespaceAsync();
        await server.PostAsync($"/api/v1/namespaces/{space}/secrets", """{"metadata":{"name":"a"}}""");
        var again = await server.PostAsync($"/api/v1/namespaces/{space}/secrets", """{"metadata":{"name":"a"}}""");
        again.Code.ShouldBe(409);
        again.Reason.ShouldBe("AlreadyExists");
        again.Message.ShouldBe("secrets \"a\" already exists");
    }

    [Fact]
    public async Task Many_generated_names_differ()
    {
        var space = await server.NamespaceAsync();
        var made = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => server.PostAsync($"/api/v1/namespaces/{space}/configmaps", """{"metadata":{"generateName":"a-"}}""")));
        made.ShouldAllBe(one => one.Code == 201 && ((string)one.Body["metadata"]!["name"]!).StartsWith("a-"));
        made.Select(one => (string)one.Body["metadata"]!["name"]!).Distinct().Count().ShouldBe(30);
    }

    [Fact]
    public async Task Nothing_is_made_in_a_namespace_that_is_not_there()
    {
        var made = await server.PostAsync("/api/v1/namespaces/nowhere/configmaps", """{"metadata":{"name":"a"}}""");
        made.Code.ShouldBe(404);
        made.Message.ShouldBe("namespaces \"nowhere\" not found");
    }

    [Fact]
    public async Task A_dry_run_makes_nothing()
    {
        var space = await server.NamespaceAsync();
        var made = await server.PostAsync($"/api/v1/namespaces/{space}/configmaps?dryRun=All", """{"metadata":{"name":"a"}}""");
        made.Code.ShouldBe(201);
        made.Version.ShouldBe("");
        (await server.GetAsync($"/api/v1/namespaces/{space}/configmaps/a")).Code.ShouldBe(404);
    }

    [Fact]
    public async Task Custom_resources_are_defaulted_pruned_and_counted_from_generation_one()
    {
        var (space, group) = (await server.NamespaceAsync(), await server.DefineAsync());
        var made = await server.PostAsync($"/apis/{group}/v1/namespaces/{space}/things", RunningApiServer.Thing(group, "a", ""","spec":{"bogus":1,"extra":{"kept":1}},"status":{"phase":"mine"}"""));
        made.Code.ShouldBe(201);
        made.Body["spec"]!.ToJsonString().ShouldBe("""{"extra":{"kept":1},"size":3}""");
        made.Body["status"].ShouldBeNull();
        ((int)made.Body["metadata"]!["generation"]!).ShouldBe(1);
        made.Warnings.ShouldHaveSingleItem().ShouldContain("unknown field \\\"spec.bogus\\\"");
    }

    [Fact]
    public async Task Strict_validation_refuses_unknown_and_duplicate_fields()
    {
        var (space, group) = (await server.NamespaceAsync(), await server.DefineAsync());
        var made = await server.PostAsync(
            $"/apis/{group}/v1/namespaces/{space}/things?fieldValidation=Strict", RunningApiServer.Thing(group, "a", ""","spec":{"bogus":1,"size":2,"size":4}"""));
        made.Code.ShouldBe(400);
        made.Message.ShouldContain("unknown field \"spec.bogus\"");
        made.Message.ShouldContain("duplicate field \"spec.size\"");
    }

    [Fact]
    public async Task All_errors_of_an_object_are_told_at_once()
    {
        var (space, group) = (await server.NamespaceAsync(), await server.DefineAsync());
        var made = await server.PostAsync($"/apis/{group}/v1/namespaces/{space}/things", RunningApiServer.Thing(group, "a", ""","spec":{"size":0,"color":7}"""));
        made.Code.ShouldBe(422);
        made.Reason.ShouldBe("Invalid");
        made.Message.ShouldStartWith($"Thing.{group} \"a\" is invalid: [");
        made.Body["details"]!["causes"]!.AsArray().Count.ShouldBe(2);
    }

    [Theory]
    [InlineData("{", 400)]
    [InlineData("", 400)]
    [InlineData("[]", 400)]
    [InlineData("null", 400)]
    [InlineData("""{"metadata":[]}""", 400)]
    [InlineData("""{"metadata":{"name":7}}""", 400)]
    [InlineData("""{"metadata":{}}""", 422)]
    [InlineData("""{"metadata":{"name":"Not A Name"}}""", 422)]
    [InlineData("""{"metadata":{"name":"a","namespace":"default"}}""", 400)]
    [InlineData("""{"metadata":{"name":"a","resourceVersion":"1"}}""", 400)]
    [InlineData("""{"metadata":{"name":"a","labels":{"a":1}}}""", 400)]
    [InlineData("""{"metadata":{"name":"a","labels":{"a":"not a value"}}}""", 422)]
    [InlineData("""{"metadata":{"name":"a","finalizers":[null]}}""", 422)]
    [InlineData("""{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a"}}""", 400)]
    [InlineData("""{"metadata":{"name":"a"},"data":{"x":1}}""", 400)]
    [InlineData("""{"metadata":{"name":"a"}} {}""", 400)]
    public async Task What_is_no_such_object_is_refused(string body, int code)
    {
        var space = await server.NamespaceAsync();
        var made = await server.PostAsync($"/api/v1/namespaces/{space}/configmaps", body);
        made.Code.ShouldBe(code, made.Body.ToJsonString());
        ((string?)made.Body["kind"]).ShouldBe("Status");
        ((int?)made.Body["code"]).ShouldBe(code);
    }

    [Fact]
    public async Task A_body_over_three_mebibytes_is_refused()
    {
        var made = await server.PostAsync("/api/v1/namespaces/default/configmaps", $$$"""{"metadata":{"name":"a"},"data":{"x":"{{{new string('x', 3 * 1024 * 1024)}}}"}}""");
        made.Code.ShouldBe(413);
        made.Reason.ShouldBe("RequestEntityTooLarge");
    }

    [Fact]
    public async Task A_secrets_text_is_stored_encoded()
    {
        var space = await server.NamespaceAsync();
        var made = await server.PostAsync($"/api/v1/namespaces/{space}/secrets", """{"metadata":{"name":"a"},"stringData":{"k":"v"}}""");
        ((string?)made.Body["data"]!["k"]).ShouldBe("dg==");
        made.Body["stringData"].ShouldBeNull();
        ((string?)made.Body["type"]).ShouldBe("Opaque");
    }
}
