using System.Globalization;
using System.Text.Json.Nodes;
using Flotta.ApiServer;
using Flotta.ApiServer.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.ApiServer.Storage;

public sealed class BackupTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_backup_of_a_running_server_is_one_consistent_state()
    {
        await using var server = new RunningApiServer();
        await server.InitializeAsync();
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            // Both are written in turn, so that no state has a b that is newer than its a.
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                await Put(server, "a", i);
                await Put(server, "b", i);
            }
        });
        await Eventually.True(async () => (await server.GetAsync("/api/v1/namespaces/default/configmaps/b")).Code == 200, 20);
        for (var i = 0; i < 5; i++)
        {
            var file = folder.File($"backup{i}");
            Backup.Write(server.DataFolder, file).ShouldBeGreaterThan(5);
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            using var log = RevisionLog.Open(file);
            var values = log.Current().Where(one => one.Key is { Resource: "configmaps", Namespace: "default" }).ToDictionary(
                one => one.Key.Name, one => int.Parse((string)JsonNode.Parse(one.Json)!["data"]!["i"]!, CultureInfo.InvariantCulture));
            (values["a"] - values["b"]).ShouldBeInRange(0, 1);
        }

        await stop.CancelAsync();
        await writing;
    }

    [Fact]
    public async Task A_restored_server_has_the_objects_and_the_keys_and_versions_that_were_never_handed_out()
    {
        long last;
        string pem, old;
        await using (var first = await StartAsync("data"))
        {
            using var http = RunningApiServer.ClientOf(RunningApiServer.ConfigurationOf(first));
            await CreateAsync(http, first, "kept");
            Backup.Write(folder.File("data"), folder.File("backup"));
            old = await VersionAsync(await CreateAsync(http, first, "later"));
            last = long.Parse(old, CultureInfo.InvariantCulture);
            pem = first.AuthorityPem;
        }

        var (objects, kept) = Backup.Restore(folder.File("backup"), folder.File("data"));
        objects.ShouldBeGreaterThan(4);
        File.Exists(kept).ShouldBeTrue();
        await using var second = await StartAsync("data");
        second.AuthorityPem.ShouldBe(pem);
        using var client = RunningApiServer.ClientOf(RunningApiServer.ConfigurationOf(second));
        var at = new Uri(second.Address, "/api/v1/namespaces/default/configmaps");
        var list = JsonNode.Parse(await client.GetStringAsync(at))!;
        list["items"]!.AsArray().Select(item => (string?)item!["metadata"]!["name"]).ShouldBe(["kept"]);
        long.Parse((string)list["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture).ShouldBeGreaterThan(last);
        var next = await VersionAsync(await CreateAsync(client, second, "next"));
        long.Parse(next, CultureInfo.InvariantCulture).ShouldBeGreaterThan(last + 1_000_000);
        // Who watched the server of before is told to start over, and misses nothing.
        await using var watch = await OpenWatch.StartAsync(client, new Uri(at + "?watch=1&resourceVersion=" + old));
        await watch.NextAsync();
        ((int?)watch.Last["object"]!["code"]).ShouldBe(410);
    }

    [Fact]
    public async Task A_backup_is_put_into_a_new_folder_too_and_not_under_a_running_server()
    {
        await using var server = await StartAsync("data");
        Backup.Write(folder.File("data"), folder.File("backup"));
        Should.Throw<ApiServerStartException>(() => Backup.Restore(folder.File("backup"), folder.File("data"))).Message.ShouldContain("in use by another process");
        Backup.Restore(folder.File("backup"), folder.File("other")).Kept.ShouldBeNull();
        await using var other = await StartAsync("other");
        other.AuthorityPem.ShouldBe(server.AuthorityPem);
    }

    [Theory]
    [InlineData("no database at all, but long enough to be looked at as one")]
    [InlineData(null)]
    public async Task What_is_no_backup_is_refused_and_nothing_is_touched(string? content)
    {
        await (await StartAsync("data")).DisposeAsync();
        var before = File.ReadAllBytes(Path.Combine(folder.File("data"), "flotta.db"));
        if (content is not null)
            File.WriteAllText(folder.File("backup"), content);
        Should.Throw<ApiServerStartException>(() => Backup.Restore(folder.File("backup"), folder.File("data"))).Message.ShouldContain("backup");
        File.ReadAllBytes(Path.Combine(folder.File("data"), "flotta.db")).ShouldBe(before);
    }

    [Fact]
    public async Task A_rotten_value_is_found_by_the_backup_and_not_carried_on()
    {
        await (await StartAsync("data")).DisposeAsync();
        using (var connection = new SqliteConnection($"Data Source={Path.Combine(folder.File("data"), "flotta.db")};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE log SET value = CAST(replace(CAST(value AS TEXT), 'kube-public', 'cube-public') AS BLOB) WHERE name = 'kube-public'";
            command.ExecuteNonQuery();
        }

        Should.Throw<ApiServerStartException>(() => Backup.Write(folder.File("data"), folder.File("backup"))).Message.ShouldContain("kube-public at revision");
        File.Exists(folder.File("backup")).ShouldBeFalse();
    }

    private static Task<HttpResponseMessage> CreateAsync(HttpClient http, EmbeddedApiServer server, string name) => http.PostAsync(
        new Uri(server.Address, "/api/v1/namespaces/default/configmaps"), new StringContent($$$"""{"metadata":{"name":"{{{name}}}"}}""", System.Text.Encoding.UTF8, "application/json"));

    private static async Task<string> VersionAsync(HttpResponseMessage response) =>
        (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["metadata"]!["resourceVersion"]!;

    private static async Task Put(RunningApiServer server, string name, int i)
    {
        var body = $$$"""{"metadata":{"name":"{{{name}}}"},"data":{"i":"{{{i}}}"}}""";
        if ((await server.PutAsync("/api/v1/namespaces/default/configmaps/" + name, body)).Code == 404)
            await server.PostAsync("/api/v1/namespaces/default/configmaps", body);
    }

    private Task<EmbeddedApiServer> StartAsync(string data) => EmbeddedApiServer.StartAsync(
        new ApiServerOptions { DataDirectory = folder.File(data), Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
}
