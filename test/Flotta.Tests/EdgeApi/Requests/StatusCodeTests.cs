using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.EdgeApi.Requests;

namespace Flotta.Tests.EdgeApi.Requests;

/// <summary>control-plane.md 2.1, line by line: path, method, certificate, body.</summary>
public sealed class StatusCodeTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    [Theory]
    [InlineData("/")]
    [InlineData("/swagger.json")]
    [InlineData("/api/flotta-management/v1/docs")]
    [InlineData("/api/flotta-management/v1/data//in")]
    [InlineData("/api/flotta-management/v1/data/x/y/in")]
    [InlineData("/api/flotta-management/v1/data/x/inn")]
    [InlineData("/api/flotta-management/v2/data/x/in")]
    public async Task An_unknown_path_is_404_in_JSON_for_any_certificate(string path)
    {
        using var newcomer = world.AsNewcomer();
        var error = await newcomer.Http.GetAsync(path).Json(404);
        error["code"]!.GetValue<int>().ShouldBe(404);
        error["message"]!.GetValue<string>().ShouldBe($"path {path} was not found");
    }

    [Theory]
    [InlineData("DELETE", "data/x/in", "GET")]
    [InlineData("POST", "control/x/in", "GET")]
    [InlineData("GET", "data/x/out", "POST")]
    [InlineData("PUT", "control/x/out", "POST")]
    public async Task A_known_path_with_another_method_is_405(string method, string path, string allowed)
    {
        using var newcomer = world.AsNewcomer();
        using var response = await newcomer.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), EdgeRoute.Prefix + path));
        response.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        response.Content.Headers.Allow.ShouldBe([allowed]);
        JsonNode.Parse(await response.Content.ReadAsStringAsync())!["code"]!.GetValue<int>().ShouldBe(405);
    }

    [Fact]
    public async Task HEAD_is_405_too()
    {
        using var newcomer = world.AsNewcomer();
        using var response = await newcomer.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, EdgeRoute.Prefix + "data/x/in"));
        response.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Fact]
    public async Task A_trailing_slash_and_another_case_of_the_id_are_fine()
    {
        var (id, client) = await world.DeviceAsync();
        (await client.Http.GetAsync($"{EdgeRoute.Prefix}data/{id}/in/")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.Http.GetAsync($"{EdgeRoute.Prefix}data/{id.ToUpperInvariant()}/in")).StatusCode.ShouldBe(HttpStatusCode.OK);
        client.Dispose();
    }

    [Fact]
    public async Task HTTP_1_1_works_as_well()
    {
        var (id, client) = await world.DeviceAsync();
        using var response = await client.GetAsync(id, "data", request =>
        {
            request.Version = HttpVersion.Version11;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        });
        response.Version.ShouldBe(HttpVersion.Version11);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        client.Dispose();
    }

    [Theory]
    [InlineData("text/html", 406)]
    [InlineData("application/json;q=0", 406)]
    [InlineData("text/html, */*;q=0.1", 200)]
    [InlineData("application/*", 200)]
    [InlineData("application/json", 200)]
    public async Task Accept_counts_for_GET_only(string accept, int status)
    {
        var (id, client) = await world.DeviceAsync();
        (await client.GetAsync(id, "data", request => request.Headers.TryAddWithoutValidation("Accept", accept)).Status()).ShouldBe(status);
        (await client.GetAsync(id, "control", request => request.Headers.TryAddWithoutValidation("Accept", accept)).Status()).ShouldBe(status);
        client.Dispose();
    }

    [Theory]
    [InlineData("data")]
    [InlineData("control")]
    public async Task A_POST_without_a_body_is_422(string channel)
    {
        var (id, client) = await world.DeviceAsync();
        var error = await client.PostAsync(id, channel, []).Json(422);
        error["code"]!.GetValue<int>().ShouldBe(602);
        error["message"]!.GetValue<string>().ShouldBe("message in body is required");
        client.Dispose();
    }

    [Theory]
    [InlineData(null, 415)]
    [InlineData("text/plain", 415)]
    [InlineData("application/octet-stream", 415)]
    [InlineData("application/json; charset=utf-8", 200)]
    [InlineData("Application/JSON", 200)]
    public async Task The_content_type_is_JSON(string? contentType, int status)
    {
        var (id, client) = await world.DeviceAsync();
        (await client.PostAsync(id, "control", "{}"u8.ToArray(), contentType).Status()).ShouldBe(status);
        client.Dispose();
    }

    [Theory]
    [InlineData("""{"type":"nonsense"}""", 422)]
    [InlineData("""{"type":""}""", 200)]
    [InlineData("""{"type":"connection-status","content":{"state":"online"},"unknown":1}""", 200)]
    [InlineData("null", 200)]
    [InlineData("{}", 200)]
    public async Task The_type_of_a_message_is_one_of_four_or_missing(string body, int status)
    {
        var (id, client) = await world.DeviceAsync();
        (await client.PostAsync(id, "control", body).Status()).ShouldBe(status);
        client.Dispose();
    }

    [Theory]
    [InlineData("2026-11-22T13:16:56Z", 200)]
    [InlineData("2026-11-22T13:16:56.172548526Z", 200)]
    [InlineData("2026-11-22T13:16:56.172548526+01:00", 200)]
    [InlineData("2026-11-22T13:16:56+0100", 200)]
    [InlineData("2026-11-22T13:16:56", 200)]
    [InlineData("2026-11-22 13:16:56", 200)]
    [InlineData("yesterday", 400)]
    [InlineData("2026-13-22T13:16:56Z", 400)]
    public async Task Times_are_read_in_the_originals_forms(string sent, int status)
    {
        var (id, client) = await world.DeviceAsync();
        (await client.PostAsync(id, "control", $$"""{"sent":"{{sent}}"}""").Status()).ShouldBe(status);
        client.Dispose();
    }

    public static TheoryData<string, byte[]> Hostile => new()
    {
        { "not JSON", "{"u8.ToArray() },
        { "trailing bytes", "{} {}"u8.ToArray() },
        { "a list", "[]"u8.ToArray() },
        { "a number", "17"u8.ToArray() },
        { "a duplicate key", """{"directive":"heartbeat","directive":"registration"}"""u8.ToArray() },
        { "a key in another case", """{"Directive":"heartbeat"}"""u8.ToArray() },
        { "another type", """{"directive":5}"""u8.ToArray() },
        { "a huge number", """{"version":1e999}"""u8.ToArray() },
        { "invalid UTF-8", [.. "{\"directive\":\"a"u8, 0xff, 0xfe, .. "\"}"u8] },
        { "half a surrogate", """{"directive":"\ud800"}"""u8.ToArray() },
        { "deep nesting", Encoding.ASCII.GetBytes("{\"content\":" + new string('[', 5000) + new string(']', 5000) + "}") },
        { "a null in a list", """{"directive":"heartbeat","content":{"workloads":[null]}}"""u8.ToArray() },
        { "a null in hardware", """{"directive":"heartbeat","content":{"hardware":{"disks":[null]}}}"""u8.ToArray() },
        { "a duplicate key inside", """{"directive":"heartbeat","content":{"status":"up","status":"up"}}"""u8.ToArray() },
        { "content that is no object", """{"directive":"heartbeat","content":"up"}"""u8.ToArray() },
        { "another type inside", """{"directive":"heartbeat","content":{"workloads":{"a":1}}}"""u8.ToArray() },
        { "an integer that is none", """{"directive":"heartbeat","content":{"hardware":{"cpu":{"count":1.5}}}}"""u8.ToArray() },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task A_hostile_body_is_400_and_the_connection_lives_on(string what, byte[] body)
    {
        var (id, client) = await world.DeviceAsync();
        using var response = await client.PostAsync(id, "data", body);
        ((int)response.StatusCode).ShouldBe(400, what);
        var text = await response.Content.ReadAsStringAsync();
        if (text.Length > 0)
            JsonNode.Parse(text)!["code"]!.GetValue<int>().ShouldBe(400);
        await client.GetAsync(id, "control").Empty(200);
        client.Dispose();
    }

    [Fact]
    public async Task A_body_of_more_than_a_MiB_is_413()
    {
        var (id, client) = await world.DeviceAsync();
        (await client.PostAsync(id, "data", Encoding.ASCII.GetBytes($$"""{"message_id":"{{new string('x', 1024 * 1024)}}"}""")).Status()).ShouldBe(413);
        await client.GetAsync(id, "control").Empty(200);
        client.Dispose();
    }

    [Theory]
    [InlineData("..%2f..%2fx")]
    [InlineData("%F0%9F%92%A9")]
    [InlineData("-x")]
    [InlineData("a_b")]
    [InlineData("{id}")]
    public async Task An_id_that_no_object_can_have_gets_nowhere(string id)
    {
        using var newcomer = world.AsNewcomer();
        var status = await newcomer.EnrolAsync(id).Status();
        status.ShouldBeOneOf(400, 404);
    }

    [Theory]
    [InlineData("Bad_Namespace")]
    [InlineData("a.b")]
    [InlineData("../kube-system")]
    public async Task A_namespace_that_none_can_be_is_400(string target)
    {
        using var newcomer = world.AsNewcomer();
        await newcomer.EnrolAsync(world.NewId(), new JsonObject { ["target_namespace"] = target }).Empty(400);
    }

    [Fact]
    public async Task An_unknown_directive_is_400()
    {
        var (id, client) = await world.DeviceAsync();
        await client.SendAsync(id, "return_url", null).Empty(400);
        await client.PostAsync(id, "data", "null").Empty(400);
        client.Dispose();
    }

    [Fact]
    public async Task Enrolment_without_features_works()
    {
        using var newcomer = world.AsNewcomer();
        await newcomer.EnrolAsync(world.NewId(), []).Empty(200);
        await newcomer.SendAsync(world.NewId(), "enrolment", null).Empty(200);
        await newcomer.SendAsync(world.NewId(), "enrolment", "text").Empty(400);
        await newcomer.EnrolAsync(world.NewId(), new JsonObject { ["certificate_request"] = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n" }).Empty(400);
    }

    [Fact]
    public async Task With_nothing_to_run_ansible_is_an_empty_list_in_a_text()
    {
        var (id, client) = await world.DeviceAsync();
        var answer = await client.SendAsync(id, "ansible", null, "m-7").Json();
        answer["content"]!.GetValue<string>().ShouldBe("[]");
        answer["directive"]!.GetValue<string>().ShouldBe("ansible");
        answer["message_id"]!.GetValue<string>().ShouldBe("m-7");
        answer["metadata"]!["return_url"].ShouldNotBeNull();
        client.Dispose();
    }
}
