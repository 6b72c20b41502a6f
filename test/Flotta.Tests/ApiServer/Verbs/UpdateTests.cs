namespace Flotta.Tests.ApiServer.Verbs;

[Collection("api server")]
public sealed class UpdateTests(RunningApiServer server)
{
    [Fact]
    public async Task An_update_from_an_old_version_is_a_conflict()
    {
        var path = await ThingAsync();
        var seen = (await server.GetAsync(path)).Body;
        seen["spec"]!["color"] = "red";
        (await server.PutAsync(path, seen.ToJsonString())).Code.ShouldBe(200);
        seen["spec"]!["color"] = "blue";
        var late = await server.PutAsync(path, seen.ToJsonString());
        late.Code.ShouldBe(409);
        late.Reason.ShouldBe("Conflict");
        late.Message.ShouldEndWith("\"a\": the object has been modified; please apply your changes to the latest version and try again");
    }

    [Fact]
    public async Task A_custom_resource_is_not_updated_without_a_version()
    {
        var path = await ThingAsync();
        var seen = (await server.GetAsync(path)).Body;
        seen["metadata"]!.AsObject().Remove("resourceVersion");
        var made = await server.PutAsync(path, seen.ToJsonString());
        made.Code.ShouldBe(422);
        made.Message.ShouldContain("metadata.resourceVersion: Invalid value: 0x0: must be specified for an update");
    }

    [Fact]
    public async Task Of_many_concurrent_updates_from_one_version_exactly_one_is_done()
    {
        var path = await ThingAsync();
        var seen = (await server.GetAsync(path)).Body.ToJsonString();
        var codes = await Task.WhenAll(Enumerable.Range(10, 10).Select(async i => (await server.PutAsync(path, seen.Replace("\"size\":3", $"\"size\":{i}", StringComparison.Ordinal))).Code));
        codes.Count(code => code == 200).ShouldBe(1);
        codes.Count(code => code == 409).ShouldBe(9);
    }

    [Fact]
    public async Task Concurrent_patches_of_different_fields_are_all_done()
    {
        var path = await ThingAsync();
        // The server itself tries again when another writer was faster, but not for ever.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            while ((await server.MergeAsync(path, $$$$"""{"metadata":{"labels":{"l{{{{i}}}}":"x"}}}""")).Code == 409)
            {
            }
        }));
        (await server.GetAsync(path)).Body["metadata"]!["labels"]!.AsObject().Count.ShouldBe(8);
    }

    [Fact]
    public async Task Generation_counts_changes_of_the_spec_only()
    {
        var path = await ThingAsync();
        (await GenerationAsync(server.MergeAsync(path, """{"metadata":{"labels":{"a":"b"}}}"""))).ShouldBe(1);
        (await GenerationAsync(server.MergeAsync(path, """{"spec":{"size":9}}"""))).ShouldBe(2);
        (await GenerationAsync(server.MergeAsync(path + "/status", """{"status":{"phase":"x"}}"""))).ShouldBe(2);
        (await GenerationAsync(server.MergeAsync(path, """{"metadata":{"generation":77}}"""))).ShouldBe(2);
    }

    [Fact]
    public async Task Status_and_spec_are_written_apart()
    {
        var path = await ThingAsync();
        var both = """{"metadata":{"labels":{"l":"v"}},"spec":{"size":5},"status":{"phase":"up"}}""";
        var plain = (await server.MergeAsync(path, both)).Body;
        plain["status"].ShouldBeNull();
        ((int)plain["spec"]!["size"]!).ShouldBe(5);
        var status = (await server.MergeAsync(path + "/status", both.Replace("5", "6", StringComparison.Ordinal).Replace("\"v\"", "\"w\"", StringComparison.Ordinal))).Body;
        ((string?)status["status"]!["phase"]).ShouldBe("up");
        ((int)status["spec"]!["size"]!).ShouldBe(5);
        ((string?)status["metadata"]!["labels"]!["l"]).ShouldBe("v");
    }

    [Fact]
    public async Task A_write_that_changes_nothing_makes_no_version()
    {
        var path = await ThingAsync();
        var before = (await server.GetAsync(path)).Version;
        (await server.MergeAsync(path, """{"spec":{"size":3},"metadata":{"labels":{}}}""")).Version.ShouldBe(before);
        (await server.PutAsync(path, (await server.GetAsync(path)).Body.ToJsonString())).Version.ShouldBe(before);
    }

    [Fact]
    public async Task Identity_cannot_be_changed()
    {
        var path = await ThingAsync();
        var seen = (await server.GetAsync(path)).Body;
        var other = seen.DeepClone();
        other["metadata"]!["uid"] = Guid.NewGuid().ToString();
        (await server.PutAsync(path, other.ToJsonString())).Code.ShouldBe(409);
        other = seen.DeepClone();
        other["metadata"]!["name"] = "b";
        (await server.PutAsync(path, other.ToJsonString())).Code.ShouldBe(400);
        (await server.MergeAsync(path, """{"metadata":{"namespace":"default"}}""")).Code.ShouldBe(400);
        (await server.MergeAsync(path, """{"kind":"Other"}""")).Code.ShouldBe(400);
    }

    [Fact]
    public async Task A_json_patch_is_applied_whole_or_not_at_all()
    {
        var path = await ThingAsync();
        const string Type = "application/json-patch+json";
        var made = await server.SendAsync(HttpMethod.Patch, path, """[{"op":"test","path":"/spec/size","value":3},{"op":"replace","path":"/spec/size","value":4}]""", Type);
        ((int)made.Body["spec"]!["size"]!).ShouldBe(4);
        (await server.SendAsync(HttpMethod.Patch, path, """[{"op":"replace","path":"/spec/size","value":5},{"op":"test","path":"/spec/size","value":3}]""", Type)).Code.ShouldBe(422);
        ((int)(await server.GetAsync(path)).Body["spec"]!["size"]!).ShouldBe(4);
        (await server.SendAsync(HttpMethod.Patch, path, "{}", Type)).Code.ShouldBe(400);
    }

    [Fact]
    public async Task Strategic_merge_is_for_built_in_kinds()
    {
        var path = await ThingAsync();
        const string Type = "application/strategic-merge-patch+json";
        var refused = await server.SendAsync(HttpMethod.Patch, path, "{}", Type);
        refused.Code.ShouldBe(415);
        var space = await server.NamespaceAsync();
        await server.PostAsync($"/api/v1/namespaces/{space}/configmaps", """{"metadata":{"name":"a"},"data":{"x":"1","y":"2"}}""");
        var made = await server.SendAsync(HttpMethod.Patch, $"/api/v1/namespaces/{space}/configmaps/a", """{"data":{"x":null,"z":"3"}}""", Type);
        made.Body["data"]!.ToJsonString().ShouldBe("""{"y":"2","z":"3"}""");
    }

    [Fact]
    public async Task A_dry_run_changes_nothing()
    {
        var path = await ThingAsync();
        var made = await server.MergeAsync(path + "?dryRun=All", """{"spec":{"size":8}}""");
        ((int)made.Body["spec"]!["size"]!).ShouldBe(8);
        ((int)(await server.GetAsync(path)).Body["spec"]!["size"]!).ShouldBe(3);
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        var path = await ThingAsync();
        (await server.MergeAsync(path + "b", "{}")).Code.ShouldBe(404);
        (await server.GetAsync(path + "b")).Message.ShouldMatch("^things.g[0-9]+.example.com \"ab\" not found$");
        (await server.PutAsync(path + "b", (await server.GetAsync(path)).Body.ToJsonString().Replace("\"a\"", "\"ab\"", StringComparison.Ordinal))).Code.ShouldBe(404);
    }

    private async Task<string> ThingAsync()
    {
        var (space, group) = (await server.NamespaceAsync(), await server.DefineAsync());
        var path = $"/apis/{group}/v1/namespaces/{space}/things";
        (await server.PostAsync(path, RunningApiServer.Thing(group, "a", ""","spec":{}"""))).Code.ShouldBe(201);
        return path + "/a";
    }

    private static async Task<int> GenerationAsync(Task<Reply> reply)
    {
        var made = await reply;
        made.Code.ShouldBe(200, made.Body.ToJsonString());
        return (int)made.Body["metadata"]!["generation"]!;
    }
}
