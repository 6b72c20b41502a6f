using System.Text;
using Flotta.ApiServer;
using Flotta.Tests.EdgeApi;
using k8s;

namespace Flotta.Tests.ApiServer.Access.Tokens;

public sealed class StaticTokenTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private readonly ShiftedTime time = new();
    private OpenServer server = null!;

    private string TokenFile => folder.File("pki/tokens");

    public async ValueTask InitializeAsync() => server = await OpenServer.StartAsync(folder.Path, time);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_token_made_while_the_server_runs_lets_its_person_in_until_it_is_revoked()
    {
        using var alice = Person.WithToken(server.Server.Address, await TokenAsync("alice", "dev"));
        var who = await alice.PostAsync("/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}");
        who.Body["status"]!["userInfo"]!.ToJsonString().ShouldBe("""{"username":"alice","groups":["dev","system:authenticated"]}""");
        (await alice.GetAsync("/api/v1/namespaces")).Message.ShouldContain("User \"alice\" cannot list");
        using var bob = Person.WithToken(server.Server.Address, await TokenAsync("bob"));
        (await AccessTokens.RevokeAsync(folder.Path, "alice", time, CancellationToken.None)).ShouldBe(1);
        (await alice.GetAsync("/version")).Code.ShouldBe(401);
        (await bob.GetAsync("/version")).Code.ShouldBe(200);
    }

    [Fact]
    public async Task Only_the_hash_of_a_token_is_kept_and_for_its_owner_alone()
    {
        var token = await TokenAsync("alice");
        File.GetUnixFileMode(TokenFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        foreach (var file in Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith("lock", StringComparison.Ordinal)))
            Encoding.UTF8.GetString(await ReadAsync(file)).ShouldNotContain(token[7..], customMessage: file);
        (await File.ReadAllTextAsync(TokenFile)).ShouldContain("sha256:");

        static async Task<byte[]> ReadAsync(string file)
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var memory = new MemoryStream();
            await stream.CopyToAsync(memory);
            return memory.ToArray();
        }
    }

    [Fact]
    public async Task A_token_that_has_run_out_is_nobodys_and_goes_with_the_next_change()
    {
        using var alice = Person.WithToken(server.Server.Address, await TokenAsync("alice"));
        (await alice.GetAsync("/version")).Code.ShouldBe(200);
        time.Shift += TimeSpan.FromDays(2);
        (await alice.GetAsync("/version")).Code.ShouldBe(401);
        await TokenAsync("bob");
        (await File.ReadAllLinesAsync(TokenFile)).ShouldHaveSingleItem().ShouldContain("bob");
    }

    [Fact]
    public async Task A_damaged_file_leaves_the_last_good_one_and_stops_a_start()
    {
        using var alice = Person.WithToken(server.Server.Address, await TokenAsync("alice"));
        (await alice.GetAsync("/version")).Code.ShouldBe(200);
        await File.AppendAllTextAsync(TokenFile, "{nonsense");
        (await alice.GetAsync("/version")).Code.ShouldBe(200);
        await server.DisposeAsync();
        (await Should.ThrowAsync<ApiServerStartException>(() => OpenServer.StartAsync(folder.Path, time))).Message.ShouldContain(TokenFile);
        File.Delete(TokenFile);
        server = await OpenServer.StartAsync(folder.Path, time);
    }

    [Fact]
    public async Task Many_who_make_tokens_at_once_lose_none()
    {
        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => TokenAsync("user" + i)));
        (await File.ReadAllLinesAsync(TokenFile)).Length.ShouldBe(10);
    }

    private async Task<string> TokenAsync(string user, params string[] groups)
    {
        var text = await AccessTokens.KubeconfigAsync(folder.Path, server.Server.Address, user, groups, TimeSpan.FromDays(1), time, CancellationToken.None);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return KubernetesClientConfiguration.BuildConfigFromConfigFile(stream).AccessToken;
    }
}
