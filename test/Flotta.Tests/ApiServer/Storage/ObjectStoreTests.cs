using System.Globalization;
using System.Text.Json.Nodes;
using Flotta.ApiServer;
using Flotta.ApiServer.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.ApiServer.Storage;

public sealed class ObjectStoreTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string File => folder.File("flotta.db");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_stored_object_carries_the_revision_it_was_given()
    {
        await using var store = Open();
        var made = await CreateAsync(store, "a", "1");
        made.Outcome.ShouldBe(WriteOutcome.Done);
        Value(made.Object!)["metadata"]!["resourceVersion"]!.GetValue<string>().ShouldBe(made.Object!.Revision.ToString(CultureInfo.InvariantCulture));
        store.State.Get(Key("a")).ShouldBeSameAs(made.Object);
    }

    [Fact]
    public async Task Objects_and_versions_outlive_the_store()
    {
        long last;
        await using (var store = Open())
        {
            await CreateAsync(store, "a", "1");
            await CreateAsync(store, "b", "1");
            var gone = await CreateAsync(store, "c", "1");
            last = (await DeleteAsync(store, gone.Object!)).Object!.Revision;
        }

        await using var again = Open();
        again.State.Revision.ShouldBe(last);
        again.State.Of("things").Select(one => one.Key.Name).ShouldBe(["a", "b"]);
        (await CreateAsync(again, "d", "1")).Object!.Revision.ShouldBe(last + 1);
    }

    [Fact]
    public async Task Versions_do_not_go_back_when_the_newest_change_was_a_deletion_that_is_forgotten()
    {
        long last;
        await using (var store = Open())
        {
            var one = await CreateAsync(store, "a", "1");
            last = (await DeleteAsync(store, one.Object!)).Object!.Revision;
            await store.CompactAsync(last, default);
        }

        await using var again = Open();
        again.State.Revision.ShouldBe(last);
    }

    [Fact]
    public async Task Of_two_writers_who_saw_the_same_version_one_is_refused()
    {
        await using var store = Open();
        var made = (await CreateAsync(store, "a", "1")).Object!;
        var results = await Task.WhenAll(UpdateAsync(store, made, "2"), UpdateAsync(store, made, "3"));
        results.Select(result => result.Outcome).ShouldBe([WriteOutcome.Done, WriteOutcome.Conflict], ignoreOrder: true);
        var twice = await CreateAsync(store, "a", "4");
        twice.Outcome.ShouldBe(WriteOutcome.Conflict);
    }

    [Fact]
    public async Task A_write_whose_guard_has_changed_is_not_done()
    {
        await using var store = Open();
        var guard = (await CreateAsync(store, "guard", "1")).Object!;
        await UpdateAsync(store, guard, "2");
        var result = await store.WriteAsync(
            new Write(Key("a"), ChangeKind.Created, 0, Template("a", "1"), [new Guard(guard.Key, guard.Revision)]), default);
        result.Outcome.ShouldBe(WriteOutcome.GuardBroken);
        store.State.Get(Key("a")).ShouldBeNull();
    }

    [Fact]
    public async Task A_subscription_gets_every_later_change_once_and_in_order()
    {
        await using var store = Open();
        await CreateAsync(store, "before", "1");
        using var subscription = store.Subscribe("things");
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => CreateAsync(store, $"n{i}", "1")));
        var seen = new List<long>();
        while (subscription.Changes.TryRead(out var change))
            seen.Add(change.Object.Revision);
        seen.ShouldBe(Enumerable.Range(0, 100).Select(i => subscription.Start + 1 + i));
        subscription.CaughtUpTo().ShouldBe(store.State.Revision);
    }

    [Fact]
    public async Task A_watcher_that_does_not_read_is_cut_off()
    {
        await using var store = Open();
        using var subscription = store.Subscribe("things");
        await Task.WhenAll(Enumerable.Range(0, 4200).Select(i => CreateAsync(store, $"n{i}", "1")));
        var count = 0;
        while (await subscription.Changes.WaitToReadAsync())
        {
            while (subscription.Changes.TryRead(out _))
                count++;
        }

        count.ShouldBe(4096);
    }

    [Fact]
    public async Task History_has_what_was_and_what_became_of_it()
    {
        await using var store = Open();
        var made = (await CreateAsync(store, "a", "1")).Object!;
        var changed = (await UpdateAsync(store, made, "2")).Object!;
        await DeleteAsync(store, changed);
        var history = store.History("things", 0, store.State.Revision, 10)!;
        history.Select(change => change.Kind).ShouldBe([ChangeKind.Created, ChangeKind.Modified, ChangeKind.Deleted]);
        history[0].Previous.ShouldBeNull();
        history[1].Previous!.Revision.ShouldBe(made.Revision);
        Value(history[1].Object)["spec"]!.GetValue<string>().ShouldBe("2");
        history[2].Previous!.Json.ShouldBe(changed.Json);
        store.History("others", 0, store.State.Revision, 10)!.ShouldBeEmpty();
    }

    [Fact]
    public async Task Forgotten_history_is_refused_and_later_changes_keep_what_was_before_them()
    {
        await using var store = Open();
        var made = (await CreateAsync(store, "a", "1")).Object!;
        var second = (await UpdateAsync(store, made, "2")).Object!;
        var third = (await UpdateAsync(store, second, "3")).Object!;
        await store.CompactAsync(second.Revision, default);
        store.History("things", made.Revision, third.Revision, 10).ShouldBeNull();
        var rest = store.History("things", second.Revision, third.Revision, 10)!.ShouldHaveSingleItem();
        rest.Previous!.Json.ShouldBe(second.Json);
        await store.CompactAsync(third.Revision, default);
        store.State.Get(Key("a"))!.Json.ShouldBe(third.Json);
        await store.DisposeAsync();
        await using var again = Open();
        again.State.Get(Key("a"))!.Json.ShouldBe(third.Json);
    }

    [Fact]
    public async Task Data_of_a_newer_version_is_refused_and_left_alone()
    {
        await Open().DisposeAsync();
        Execute("PRAGMA user_version=99");
        var before = Hash();
        Should.Throw<ApiServerStartException>(Open).Message.ShouldContain("newer version of Flotta (format 99");
        Hash().ShouldBe(before);
    }

    [Fact]
    public void A_file_that_is_no_database_is_named()
    {
        System.IO.File.WriteAllText(File, new string('x', 5000));
        Should.Throw<ApiServerStartException>(Open).Message.ShouldStartWith($"The data file {File} is damaged");
    }

    [Fact]
    public void Another_programs_database_is_refused()
    {
        Execute("CREATE TABLE theirs(a)");
        Should.Throw<ApiServerStartException>(Open).Message.ShouldContain("is not a Flotta data file");
    }

    [Fact]
    public async Task A_value_that_rotted_on_the_disk_is_named_and_not_served()
    {
        await using (var store = Open())
            await CreateAsync(store, "a", "1");
        Execute("UPDATE log SET value = CAST(replace(CAST(value AS TEXT), '\"1\"', '\"7\"') AS BLOB)");
        Should.Throw<ApiServerStartException>(Open).Message.ShouldContain("things default/a at revision 1 is not what was written");
    }

    private ObjectStore Open() => ObjectStore.Open(File, NullLogger.Instance, TimeProvider.System);

    private byte[] Hash() => System.Security.Cryptography.SHA256.HashData(System.IO.File.ReadAllBytes(File));

    private static ObjectKey Key(string name) => new("things", "default", name);

    private static JsonObject Value(StoredObject one) => (JsonObject)JsonNode.Parse(one.Json)!;

    private static ObjectTemplate Template(string name, string spec) => ObjectTemplate.From(
        new JsonObject { ["kind"] = "Thing", ["spec"] = spec, ["metadata"] = new JsonObject { ["name"] = name }, ["apiVersion"] = "v1" });

    private static Task<WriteResult> CreateAsync(ObjectStore store, string name, string spec) =>
        store.WriteAsync(new Write(Key(name), ChangeKind.Created, 0, Template(name, spec), []), default);

    private static Task<WriteResult> UpdateAsync(ObjectStore store, StoredObject seen, string spec) =>
        store.WriteAsync(new Write(seen.Key, ChangeKind.Modified, seen.Revision, Template(seen.Key.Name, spec), []), default);

    private static Task<WriteResult> DeleteAsync(ObjectStore store, StoredObject seen) =>
        store.WriteAsync(new Write(seen.Key, ChangeKind.Deleted, seen.Revision, Template(seen.Key.Name, ""), []), default);

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
