using System.Text.Json.Nodes;
using Flotta.ApiServer.Access.Audit;
using Flotta.Tests.ApiServer;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.ApiServer.Access.Audit;

public sealed class AuditLogTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string Log => folder.File("audit.log");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task It_says_who_did_what_and_how_it_ended_and_never_what_was_in_it()
    {
        await using (var server = await OpenServer.StartAsync(folder.File("data")))
        {
            await server.Admin.PostAsync("/api/v1/namespaces/default/secrets", """{"metadata":{"name":"s"},"stringData":{"password":"hunter2"}}""");
            await server.Admin.GetAsync("/api/v1/namespaces/default/secrets/s?token=hunter2", ("Impersonate-User", "alice"), ("Impersonate-Group", "dev"));
            using (var stranger = Person.WithToken(server.Server.Address, "hunter2"))
                await stranger.GetAsync("/api/v1/secrets");
            using (var anybody = Person.WithToken(server.Server.Address, null))
                await anybody.GetAsync("/healthz");
            await server.Admin.GetAsync("/version");
        }

        var text = await File.ReadAllTextAsync(folder.File("data/audit.log"));
        text.ShouldNotContain("hunter2");
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (JsonObject)JsonNode.Parse(line)!).ToList();
        lines.Select(line => $"{line["user"]} by {line["by"]} {line["verb"]} {line["namespace"]}/{line["resource"]}/{line["name"]}{line["path"]} {line["code"]}").ShouldBe(
        [
            "admin by  create default/secrets/ 201", "alice by admin get default/secrets/s 403", " by  list /secrets/ 401", "admin by  get ///version 200",
        ]);
        lines[1]["groups"]!.ToJsonString().ShouldBe("""["dev","system:authenticated"]""");
        lines[0]["source"]!.ToString().ShouldBe("127.0.0.1");
        lines.ShouldAllBe(line => line["ms"]!.GetValue<double>() >= 0);
        File.GetUnixFileMode(folder.File("data/audit.log")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task Full_files_are_moved_on_and_the_oldest_goes()
    {
        for (var round = 0; round < 8; round++)
        {
            await using var log = new AuditLog(Log, TimeProvider.System, NullLogger.Instance, largest: 300, kept: 2);
            log.Add(Entry("round" + round, new string('x', 200)));
        }

        Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe(["audit.log", "audit.log.1", "audit.log.2"]);
        (await File.ReadAllTextAsync(Log)).ShouldContain("round7");
        (await File.ReadAllTextAsync(Log + ".1")).ShouldContain("round6");
        (await File.ReadAllTextAsync(Log + ".2")).ShouldContain("round5");
    }

    [Fact]
    public async Task What_comes_faster_than_it_is_written_is_dropped_and_counted()
    {
        await using (var log = new AuditLog(Log, TimeProvider.System, NullLogger.Instance, waiting: 10))
        {
            for (var i = 0; i < 100_000; i++)
                log.Add(Entry("u", "/"));
        }

        var lines = (await File.ReadAllLinesAsync(Log)).Select(line => JsonNode.Parse(line)!).ToList();
        (lines.Count(line => line["user"] is not null) + lines.Sum(line => (int?)line["dropped"] ?? 0)).ShouldBe(100_000);
    }

    [Fact]
    public async Task A_line_that_a_crash_tore_spoils_no_other()
    {
        await File.WriteAllTextAsync(Log, "{\"time\":\"to");
        await using (var log = new AuditLog(Log, TimeProvider.System, NullLogger.Instance))
            log.Add(Entry("u", "/"));
        (await File.ReadAllLinesAsync(Log))[1].ShouldEndWith("}");
    }

    [Fact]
    public async Task A_disk_that_takes_nothing_stops_nobody_and_is_told_when_it_takes_something_again()
    {
        Directory.CreateDirectory(Log);
        await using (var log = new AuditLog(Log, TimeProvider.System, NullLogger.Instance))
        {
            log.Add(Entry("lost", "/"));
            await Eventually.True(() => log.Dropped == 1);
            Directory.Delete(Log);
            log.Add(Entry("kept", "/"));
        }

        var lines = await File.ReadAllLinesAsync(Log);
        lines.Length.ShouldBe(2);
        lines[0].ShouldContain("kept");
        lines[1].ShouldContain("\"dropped\":1");
    }

    [Fact]
    public async Task What_a_client_makes_long_is_cut()
    {
        await using (var log = new AuditLog(Log, TimeProvider.System, NullLogger.Instance))
            log.Add(Entry(new string('u', 5000), "/\n\"" + new string('p', 50_000)));
        var line = (await File.ReadAllLinesAsync(Log)).ShouldHaveSingleItem();
        line.Length.ShouldBeLessThan(2000);
        JsonNode.Parse(line).ShouldNotBeNull();
    }

    private static AuditEntry Entry(string user, string path) =>
        new(DateTimeOffset.UnixEpoch, new(user, []), null, "GET", path, 200, TimeSpan.Zero, null, "");
}
