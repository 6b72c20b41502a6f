using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.Tests.EdgeApi;

namespace Flotta.Tests.ApiServer.Access.Tokens;

public sealed class AccountTokenTests : IAsyncLifetime
{
    private const string Accounts = "/api/v1/namespaces/default/serviceaccounts";
    private const string WhoAmI = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

    private readonly TemporaryFolder folder = new();
    private readonly ShiftedTime time = new();
    private OpenServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await OpenServer.StartAsync(folder.Path, time);
        (await server.Admin.PostAsync(Accounts, """{"metadata":{"name":"robot"}}""")).Code.ShouldBe(201);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_token_speaks_for_its_account_until_it_expires()
    {
        using var robot = With(await TokenAsync("""{"spec":{"expirationSeconds":1200}}"""));
        var info = (await robot.PostAsync(WhoAmI, "{}")).Body["status"]!["userInfo"]!;
        ((string?)info["username"]).ShouldBe("system:serviceaccount:default:robot");
        info["groups"]!.AsArray().Select(group => (string?)group).ShouldBe(["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]);
        (await robot.GetAsync("/api/v1/namespaces/default/secrets")).Code.ShouldBe(403);
        time.Shift += TimeSpan.FromSeconds(1100);
        (await robot.GetAsync("/version")).Code.ShouldBe(200);
        time.Shift += TimeSpan.FromSeconds(200);
        (await robot.GetAsync("/version")).Code.ShouldBe(401);
    }

    [Fact]
    public async Task A_token_ends_with_its_account_and_does_not_come_back_with_another_of_that_name()
    {
        using var robot = With(await TokenAsync("{}"));
        (await robot.GetAsync("/version")).Code.ShouldBe(200);
        (await server.Admin.SendAsync(HttpMethod.Delete, Accounts + "/robot", null)).Code.ShouldBe(200);
        (await robot.GetAsync("/version")).Code.ShouldBe(401);
        await server.Admin.PostAsync(Accounts, """{"metadata":{"name":"robot"}}""");
        (await robot.GetAsync("/version")).Code.ShouldBe(401);
    }

    [Fact]
    public async Task A_token_that_is_bound_to_a_secret_ends_with_it()
    {
        await server.Admin.PostAsync("/api/v1/namespaces/default/secrets", """{"metadata":{"name":"s"}}""");
        using var robot = With(await TokenAsync("""{"spec":{"boundObjectRef":{"apiVersion":"v1","kind":"Secret","name":"s"}}}"""));
        (await robot.GetAsync("/version")).Code.ShouldBe(200);
        await server.Admin.SendAsync(HttpMethod.Delete, "/api/v1/namespaces/default/secrets/s", null);
        (await robot.GetAsync("/version")).Code.ShouldBe(401);
    }

    [Fact]
    public async Task A_token_for_somebody_else_is_none_for_us_and_a_review_says_for_whom_it_is()
    {
        var token = await TokenAsync("""{"spec":{"audiences":["vault"]}}""");
        using var robot = With(token);
        (await robot.GetAsync("/version")).Code.ShouldBe(401);
        (await ReviewAsync(token, "vault"))["authenticated"]!.GetValue<bool>().ShouldBeTrue();
        (await ReviewAsync(token))["authenticated"].ShouldBeNull();
    }

    [Fact]
    public async Task A_token_survives_a_restart_and_the_key_is_its_owners_alone()
    {
        var token = await TokenAsync("{}");
        await server.DisposeAsync();
        server = await OpenServer.StartAsync(folder.Path, time);
        using var robot = With(token);
        (await robot.GetAsync("/version")).Code.ShouldBe(200);
        File.GetUnixFileMode(folder.File("pki/accounts.pem")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task What_was_changed_in_a_token_makes_it_nobodys()
    {
        var token = await TokenAsync("{}");
        var parts = token.Split('.');
        var claims = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[1])).Replace("robot", "admin", StringComparison.Ordinal);
        string[] forged =
        [
            $"{parts[0]}.{Part(claims)}.{parts[2]}",
            $"{Part("""{"alg":"none"}""")}.{parts[1]}.",
            $"{Part("""{"alg":"HS256","kid":"x"}""")}.{parts[1]}.{parts[2]}",
            $"{parts[0]}.{parts[1]}",
            $"{parts[0]}.{parts[1]}.{parts[2]}.{parts[2]}",
            "a.b.c", "..", "%", new string('x', 30_000), "flotta_" + parts[2],
        ];
        foreach (var one in forged)
        {
            using var somebody = With(one);
            (await somebody.GetAsync("/version")).Code.ShouldBe(401, one);
        }

        static string Part(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
    }

    [Fact]
    public async Task Every_namespace_has_a_default_account_again_after_it_was_deleted()
    {
        await Eventually.True(async () => (await server.Admin.GetAsync(Accounts + "/default")).Code == 200);
        var uid = (string?)(await server.Admin.GetAsync(Accounts + "/default")).Body["metadata"]!["uid"];
        await server.Admin.SendAsync(HttpMethod.Delete, Accounts + "/default", null);
        await Eventually.True(async () => (await server.Admin.GetAsync(Accounts + "/default")) is { Code: 200 } found && (string?)found.Body["metadata"]!["uid"] != uid);
    }

    private Person With(string token) => Person.WithToken(server.Server.Address, token);

    private async Task<string> TokenAsync(string request)
    {
        var made = await server.Admin.PostAsync(Accounts + "/robot/token", request);
        made.Code.ShouldBe(201, made.Message);
        return (string)made.Body["status"]!["token"]!;
    }

    private async Task<JsonNode> ReviewAsync(string token, params string[] audiences) => (await server.Admin.PostAsync(
        "/apis/authentication.k8s.io/v1/tokenreviews",
        new JsonObject { ["spec"] = new JsonObject { ["token"] = token, ["audiences"] = new JsonArray([.. audiences.Select(one => (JsonNode)one)]) } }.ToJsonString())).Body["status"]!;
}
