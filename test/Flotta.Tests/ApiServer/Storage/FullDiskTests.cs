using System.Diagnostics;
using Flotta.ApiServer;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.ApiServer.Storage;

public sealed class FullDiskTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private bool mounted;

    public void Dispose()
    {
        if (mounted)
            Run("umount", "-l", folder.File("disk"));
        folder.Dispose();
    }

    [Fact]
    public async Task A_full_disk_is_told_and_writes_work_again_when_there_is_room()
    {
        Mount();
        var disk = folder.File("disk");
        var filler = Path.Combine(disk, "filler");
        await File.WriteAllBytesAsync(filler, new byte[4 * 1024 * 1024]);
        var acknowledged = new List<string>();
        await using (var server = await StartAsync(disk))
            await FillAsync(server, filler, acknowledged);
        await using var restarted = await StartAsync(disk);
        using var later = RunningApiServer.ClientOf(RunningApiServer.ConfigurationOf(restarted));
        (await ListAsync(later, restarted)).ShouldBe(acknowledged, ignoreOrder: true);
    }

    private static async Task FillAsync(EmbeddedApiServer server, string filler, List<string> acknowledged)
    {
        using var http = RunningApiServer.ClientOf(RunningApiServer.ConfigurationOf(server));
        var full = 0;
        for (var i = 0; i < 400 && full < 5; i++)
        {
            using var response = await CreateAsync(http, server, $"n{i}", 64 * 1024);
            if ((int)response.StatusCode == 201)
            {
                acknowledged.Add($"n{i}");
                continue;
            }

            ((int)response.StatusCode).ShouldBe(507);
            (await response.Content.ReadAsStringAsync()).ShouldContain("There is no room left on the disk");
            full++;
        }

        full.ShouldBe(5);
        // What was acknowledged is still read while nothing can be written.
        (await ListAsync(http, server)).ShouldBe(acknowledged, ignoreOrder: true);
        File.Delete(filler);
        using (var again = await CreateAsync(http, server, "again", 64 * 1024))
            ((int)again.StatusCode).ShouldBe(201);
        acknowledged.Add("again");
        (await ListAsync(http, server)).ShouldBe(acknowledged, ignoreOrder: true);
    }

    private static Task<EmbeddedApiServer> StartAsync(string disk) => EmbeddedApiServer.StartAsync(
        new ApiServerOptions { DataDirectory = Path.Combine(disk, "data"), Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);

    private static Task<HttpResponseMessage> CreateAsync(HttpClient http, EmbeddedApiServer server, string name, int size) => http.PostAsync(
        new Uri(server.Address, "/api/v1/namespaces/default/configmaps"),
        new StringContent($$$"""{"metadata":{"name":"{{{name}}}"},"data":{"x":"{{{new string('x', size)}}}"}}""", System.Text.Encoding.UTF8, "application/json"));

    private static async Task<List<string>> ListAsync(HttpClient http, EmbeddedApiServer server)
    {
        var list = System.Text.Json.Nodes.JsonNode.Parse(await http.GetStringAsync(new Uri(server.Address, "/api/v1/namespaces/default/configmaps")))!;
        return [.. list["items"]!.AsArray().Select(item => (string)item!["metadata"]!["name"]!)];
    }

    private void Mount()
    {
        Directory.CreateDirectory(folder.File("disk"));
        mounted = OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && Run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder.File("disk")) == 0;
        Assert.SkipUnless(mounted, "A small disk cannot be mounted here: that needs root and the right to mount.");
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
