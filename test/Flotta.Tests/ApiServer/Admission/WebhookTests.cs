using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.Tests.ApiServer.Admission;

/// <summary>Each test has a server of its own: configurations hold for the whole cluster.</summary>
public sealed class WebhookTests : IAsyncLifetime
{
    private readonly RunningApiServer server = new();

    public ValueTask InitializeAsync() => server.InitializeAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_webhook_is_asked_and_its_refusal_is_told_in_the_real_servers_words()
    {
        await using var webhook = await WebhookStandIn.StartAsync(request => Text(request["object"]?["data"]?["bad"]) is { } bad
            ? new JsonObject { ["allowed"] = false, ["status"] = new JsonObject { ["message"] = bad, ["code"] = 403 } }
            : new JsonObject { ["allowed"] = true, ["warnings"] = new JsonArray("look out") });
        await ConfigureAsync(webhook);

        var refused = await CreateAsync("a", """{"bad":"it is bad"}""");
        refused.Code.ShouldBe(403);
        refused.Message.ShouldBe("admission webhook \"check.example.com\" denied the request: it is bad");
        (await server.GetAsync("/api/v1/namespaces/default/configmaps/a")).Code.ShouldBe(404);
        var made = await CreateAsync("b", """{"good":"1"}""");
        made.Code.ShouldBe(201);
        made.Warnings.ShouldHaveSingleItem().ShouldContain("look out");
        var asked = webhook.Asked.Last();
        Text(asked["operation"]).ShouldBe("CREATE");
        Text(asked["userInfo"]!["username"]).ShouldBe("admin");
        Text(asked["resource"]!["resource"]).ShouldBe("configmaps");
        Text(asked["name"]).ShouldBe("b");
        asked["oldObject"].ShouldBeNull();
        (await server.MergeAsync("/api/v1/namespaces/default/configmaps/b", """{"data":{"bad":"no"}}""")).Code.ShouldBe(403);
        Text(webhook.Asked.Last()["oldObject"]!["data"]!["good"]).ShouldBe("1");
        (await server.DeleteAsync("/api/v1/namespaces/default/configmaps/b")).Code.ShouldBe(200);
        Text(webhook.Asked.Last()["operation"]).ShouldBe("DELETE");
    }

    [Fact]
    public async Task A_refusal_without_words_is_one_too()
    {
        await using var webhook = await WebhookStandIn.StartAsync(_ => new JsonObject { ["allowed"] = false });
        await ConfigureAsync(webhook);
        var refused = await CreateAsync("a", "{}");
        refused.Code.ShouldBe(400);
        refused.Message.ShouldBe("admission webhook \"check.example.com\" denied the request without explanation");
        // Who is asked can always be changed, else nobody could come back from this.
        (await server.DeleteAsync("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/check")).Code.ShouldBe(200);
        (await CreateAsync("a", "{}")).Code.ShouldBe(201);
    }

    [Theory]
    [InlineData("Fail", 500)]
    [InlineData("Ignore", 201)]
    public async Task The_failure_policy_decides_when_a_webhook_does_not_answer(string policy, int code)
    {
        await using var webhook = await WebhookStandIn.StartAsync(_ => null);
        await ConfigureAsync(webhook, rest: $",\"failurePolicy\":\"{policy}\",\"timeoutSeconds\":1");
        var made = await CreateAsync("a", "{}");
        made.Code.ShouldBe(code);
        if (code == 500)
            made.Message.ShouldBe($"Internal error occurred: failed calling webhook \"check.example.com\": failed to call webhook: Post \"{webhook.Url}?timeout=1s\": context deadline exceeded");
    }

    [Fact]
    public async Task A_webhook_with_another_certificate_is_not_trusted()
    {
        await using var webhook = await WebhookStandIn.StartAsync(_ => new JsonObject { ["allowed"] = true });
        await using var other = await WebhookStandIn.StartAsync(_ => null);
        await ConfigureAsync(webhook, bundle: other.Bundle);
        (await CreateAsync("a", "{}")).Code.ShouldBe(500);
        webhook.Asked.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"other\"}}", false)]
    [InlineData("\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"default\"}}", true)]
    [InlineData("\"objectSelector\":{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"In\",\"values\":[\"x\"]}]}", true)]
    [InlineData("\"objectSelector\":{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"NotIn\",\"values\":[\"x\"]}]}", false)]
    public async Task Selectors_decide_about_what_it_is_asked(string selector, bool concerned)
    {
        await using var webhook = await WebhookStandIn.StartAsync(_ => new JsonObject { ["allowed"] = false });
        await ConfigureAsync(webhook, rest: "," + selector);
        (await CreateAsync("a", "{}")).Code.ShouldBe(concerned ? 400 : 201);
    }

    [Theory]
    [InlineData("\"operations\":[\"DELETE\"],\"apiGroups\":[\"\"],\"apiVersions\":[\"v1\"],\"resources\":[\"*\"]", false)]
    [InlineData("\"operations\":[\"*\"],\"apiGroups\":[\"*\"],\"apiVersions\":[\"*\"],\"resources\":[\"*/*\"]", true)]
    [InlineData("\"operations\":[\"CREATE\"],\"apiGroups\":[\"\"],\"apiVersions\":[\"v1\"],\"resources\":[\"secrets\",\"configmaps/status\"]", false)]
    [InlineData("\"operations\":[\"CREATE\"],\"apiGroups\":[\"\"],\"apiVersions\":[\"v1\"],\"resources\":[\"configmaps\"],\"scope\":\"Cluster\"", false)]
    public async Task Rules_decide_about_what_it_is_asked(string rule, bool concerned)
    {
        await using var webhook = await WebhookStandIn.StartAsync(_ => new JsonObject { ["allowed"] = false });
        await ConfigureAsync(webhook, rule: rule);
        (await CreateAsync("a", "{}")).Code.ShouldBe(concerned ? 400 : 201);
    }

    [Fact]
    public async Task A_rule_for_one_group_means_the_same_resource_in_another_unless_it_is_meant_exactly()
    {
        await using var webhook = await WebhookStandIn.StartAsync(_ => new JsonObject { ["allowed"] = true });
        const string Rule = "\"operations\":[\"CREATE\"],\"apiGroups\":[\"events.k8s.io\"],\"apiVersions\":[\"v1\"],\"resources\":[\"events\"]";
        await ConfigureAsync(webhook, rule: Rule);
        (await server.PostAsync("/api/v1/namespaces/default/events", """{"metadata":{"name":"e"},"involvedObject":{},"message":"hello"}""")).Code.ShouldBe(201);
        webhook.Asked.TryDequeue(out var asked).ShouldBeTrue();
        Text(asked!["object"]!["note"]).ShouldBe("hello");
        Text(asked["requestResource"]!["group"]).ShouldBe("");
        Text(asked["resource"]!["group"]).ShouldBe("events.k8s.io");
        await server.DeleteAsync("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/check");
        await ConfigureAsync(webhook, rule: Rule, rest: ",\"matchPolicy\":\"Exact\"");
        (await server.PostAsync("/api/v1/namespaces/default/events", """{"metadata":{"name":"f"},"involvedObject":{}}""")).Code.ShouldBe(201);
        webhook.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_dry_run_is_told_to_the_webhook()
    {
        await using var webhook = await WebhookStandIn.StartAsync(_ => new JsonObject { ["allowed"] = true });
        await ConfigureAsync(webhook);
        (await server.PostAsync("/api/v1/namespaces/default/configmaps?dryRun=All", """{"metadata":{"name":"a"}}""")).Code.ShouldBe(201);
        ((bool)webhook.Asked.Single()["dryRun"]!).ShouldBeTrue();
    }

    [Fact]
    public async Task A_mutating_webhook_changes_what_is_written_but_not_which_object_it_is()
    {
        const string Patch = """[{"op":"add","path":"/metadata/labels/seen","value":"yes"},{"op":"replace","path":"/metadata/name","value":"other"}]""";
        await using var webhook = await WebhookStandIn.StartAsync(_ => new JsonObject
        {
            ["allowed"] = true, ["patchType"] = "JSONPatch", ["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(Patch)),
        });
        await ConfigureAsync(webhook, kind: "Mutating");
        var made = await CreateAsync("a", "{}");
        made.Code.ShouldBe(201, made.Body.ToJsonString());
        Text(made.Body["metadata"]!["labels"]!["seen"]).ShouldBe("yes");
        Text(made.Body["metadata"]!["name"]).ShouldBe("a");
        var merged = await server.MergeAsync("/api/v1/namespaces/default/configmaps/a", """{"metadata":{"labels":{"seen":"no"}}}""");
        Text(merged.Body["metadata"]!["labels"]!["seen"]).ShouldBe("yes");
    }

    [Fact]
    public async Task Of_two_managers_that_apply_an_absent_object_at_once_the_second_is_merged_into_the_first()
    {
        Task<Reply> ApplyAsync(string manager, string data) => server.SendAsync(
            HttpMethod.Patch, "/api/v1/namespaces/default/configmaps/a?fieldManager=" + manager, $$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{{data}}}""",
            "application/apply-patch+yaml");
        Reply? faster = null;
        await using var webhook = await WebhookStandIn.StartAsync(request =>
        {
            // Between the look at what is there and the write.
            if (Text(request["operation"]) == "CREATE" && request["object"]!["data"]!["slow"] is not null)
                faster = ApplyAsync("m2", """{"fast":"2"}""").GetAwaiter().GetResult();
            return new JsonObject { ["allowed"] = true };
        });
        await ConfigureAsync(webhook);
        var slower = await ApplyAsync("m1", """{"slow":"1"}""");
        faster!.Code.ShouldBe(201);
        slower.Code.ShouldBe(200, slower.Body.ToJsonString());
        slower.Body["data"]!.ToJsonString().ShouldBe("""{"fast":"2","slow":"1"}""");
        slower.Body["metadata"]!["managedFields"]!.AsArray().Select(entry => Text(entry!["manager"])).ShouldBe(["m1", "m2"], ignoreOrder: true);
    }

    private static string? Text(JsonNode? node) => (string?)node;

    private Task<Reply> CreateAsync(string name, string data) =>
        server.PostAsync("/api/v1/namespaces/default/configmaps", $$$"""{"metadata":{"name":"{{{name}}}","labels":{"tier":"x"}},"data":{{{data}}}}""");

    private async Task ConfigureAsync(
        WebhookStandIn webhook, string rest = "", string? bundle = null, string kind = "Validating",
        string rule = "\"operations\":[\"*\"],\"apiGroups\":[\"\"],\"apiVersions\":[\"v1\"],\"resources\":[\"configmaps\"]")
    {
        var made = await server.PostAsync($"/apis/admissionregistration.k8s.io/v1/{kind.ToLowerInvariant()}webhookconfigurations", $$$"""
            {"metadata":{"name":"check"},"webhooks":[{"name":"check.example.com","admissionReviewVersions":["v1"],"sideEffects":"None",
             "clientConfig":{"url":"{{{webhook.Url}}}","caBundle":"{{{bundle ?? webhook.Bundle}}}"},"rules":[{ {{{rule}}} }]{{{rest}}}}]}
            """);
        made.Code.ShouldBe(201, made.Body.ToJsonString());
    }
}
