using System.Text.Json.Nodes;
using Flotta.ApiServer;
using Flotta.ApiServer.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.ApiServer.Storage;

/// <summary>Files that rotted, and files of older versions.</summary>
public sealed class DamageTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string File => folder.File("flotta.db");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Whichever_byte_rots_what_was_written_is_served_or_the_file_is_named()
    {
        Dictionary<string, string> right;
        await using (var store = ObjectStore.Open(File, NullLogger.Instance, TimeProvider.System))
        {
            await Task.WhenAll(Enumerable.Range(0, 60).Select(i => WriteAsync(store, "things", $"n{i}", new string((char)('a' + (i % 26)), 40 + (i * 37)))));
            right = Contents(store);
        }

        var bytes = System.IO.File.ReadAllBytes(File);
        var random = new Random(7);
        var refused = 0;
        for (var i = 0; i < 400; i++)
        {
            var rotten = (byte[])bytes.Clone();
            rotten[random.Next(rotten.Length)] ^= (byte)(1 << random.Next(8));
            var copy = folder.File("copy.db");
            foreach (var part in (string[])["-wal", "-shm"])
                System.IO.File.Delete(copy + part);
            System.IO.File.WriteAllBytes(copy, rotten);
            try
            {
                await using var store = ObjectStore.Open(copy, NullLogger.Instance, TimeProvider.System);
                Contents(store).ShouldBe(right, ignoreOrder: true);
            }
            catch (ApiServerStartException e)
            {
                refused++;
                e.Message.ShouldContain(copy);
            }
        }

        refused.ShouldBeGreaterThan(100);
    }

    [Fact]
    public async Task A_file_of_the_first_format_is_brought_to_this_one_and_its_versions_do_not_go_back()
    {
        long last;
        await using (var store = ObjectStore.Open(File, NullLogger.Instance, TimeProvider.System))
        {
            await WriteAsync(store, "things", "a", "x");
            last = (await WriteAsync(store, "events.events.k8s.io", "e", "x")).Object!.Revision;
        }

        Execute("PRAGMA user_version=1");
        await using var again = ObjectStore.Open(File, NullLogger.Instance, TimeProvider.System);
        again.State.Of("events.events.k8s.io").ShouldBeEmpty();
        again.State.Of("things").ShouldHaveSingleItem();
        again.State.Revision.ShouldBe(last);
        again.History("things", 0, last, 10).ShouldBeNull();
        Number("PRAGMA user_version").ShouldBe(RevisionLogFile.Format);
    }

    [Fact]
    public async Task A_change_that_rotted_ends_the_watch_with_a_reason_and_is_not_served()
    {
        await using var server = new RunningApiServer();
        await server.InitializeAsync();
        await server.PostAsync("/api/v1/namespaces/default/configmaps", """{"metadata":{"name":"a"},"data":{"k":"right"}}""");
        using (var connection = new SqliteConnection($"Data Source={Path.Combine(server.DataFolder, "flotta.db")};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE log SET value = CAST(replace(CAST(value AS TEXT), 'right', 'wrong') AS BLOB) WHERE resource = 'configmaps'";
            command.ExecuteNonQuery();
        }

        await using var watch = await OpenWatch.StartAsync(server.Http, new Uri(server.Server.Address, "/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=1"));
        (await watch.NextAsync()).ShouldBe("ERROR ");
        ((string)watch.Last["object"]!["message"]!).ShouldContain("configmaps default/a at revision");
    }

    private static Dictionary<string, string> Contents(ObjectStore store) => store.State.Resources.Values.SelectMany(all => all)
        .ToDictionary(one => $"{one.Key} {one.Revision}", one => System.Text.Encoding.UTF8.GetString(one.Json));

    private static Task<WriteResult> WriteAsync(ObjectStore store, string resource, string name, string spec) => store.WriteAsync(
        new Write(new ObjectKey(resource, "default", name), ChangeKind.Created, 0, ObjectTemplate.From(new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "Thing", ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec,
        }), []), default);

    private void Execute(string sql) => Number(sql);

    private long Number(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() is long number ? number : 0;
    }
}
