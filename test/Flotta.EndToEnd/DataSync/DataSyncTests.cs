using System.Globalization;
using System.Net.Http;
using System.Security.Cryptography;
using System.Text;
using Flotta.EndToEnd.Faults;
using Flotta.EndToEnd.Telemetry;

namespace Flotta.EndToEnd.DataSync;

/// <summary>From kubectl to an object in a bucket of a real S3 server, and from the bucket into a container.</summary>
public sealed class DataSyncTests
{
    private const string Id = DataManifests.Device;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_a_container_writes_becomes_an_object_and_an_object_becomes_a_file_that_the_container_reads()
    {
        await using var server = await ObjectServer.StartAsync();
        await using var site = await Site.StartAsync("--auto-approve");
        await using var device = site.Device(Id);
        await device.IsAsync("Connected", "True");
        server.Put("prices/2026/list.txt", "1;2;3");
        await DataManifests.ApplyBucketAsync(site, server, server.Port);
        await site.Plane.ApplyAsync(DataManifests.Workload("""
            /bin/busybox mkdir -p /export/out; echo hello > /export/out/hello.txt; echo no > /export/out/no.tmp;
            until [ -f /export/in/2026/list.txt ]; do sleep 1; done; cat /export/in/2026/list.txt > /export/out/seen.txt; sleep 100000
            """));
        await Eventually.TrueAsync(() => Task.FromResult(server.Text("backup/till/hello.txt")?.Trim() == "hello"), Patience, () => device.Program.Said);
        await Eventually.TrueAsync(() => Task.FromResult(server.Text("backup/till/seen.txt") == "1;2;3"), Patience, () => device.Program.Said);
        server.Text("backup/till/no.tmp").ShouldBeNull();
        await Eventually.TrueAsync(async () => (await site.Plane.FieldAsync("edgedevice", Id, ".status.workloads[0].lastDataUpload")).Length > 0, Patience, () => device.Program.Said);

        // Credentials that are no good are said to be, by the object itself; good ones are taken without a restart.
        await site.Plane.ApplyAsync(DataManifests.Secret(server, "NOBODY"));
        var export = Path.Combine(device.Folder, "volumes", "till");
        await File.WriteAllTextAsync(Path.Combine(export, "out", "later.txt"), "later");
        await Eventually.TrueAsync(
            async () => (await site.Plane.FieldAsync("edgedevice", Id, ".status.workloads[0].message")).Contains("InvalidAccessKeyId", StringComparison.Ordinal),
            Patience,
            () => device.Program.Said);
        (await site.Plane.KubectlAsync("describe", "edgedevice", Id)).ShouldContain("DataNotSynchronised");
        var process = device.Program.Id;
        await site.Plane.ApplyAsync(DataManifests.Secret(server, "S3RVER"));
        await Eventually.TrueAsync(() => Task.FromResult(server.Text("backup/till/later.txt") == "later"), Patience, () => device.Program.Said);
        await Eventually.EqualsAsync("", () => site.Plane.FieldAsync("edgedevice", Id, ".status.workloads[0].message"), Patience);
        device.Program.Id.ShouldBe(process);

        // Many small files.
        Directory.CreateDirectory(Path.Combine(export, "out", "many"));
        for (var n = 0; n < 2000; n++)
            await File.WriteAllTextAsync(Path.Combine(export, "out", "many", n.ToString(CultureInfo.InvariantCulture)), "x");
        await Eventually.TrueAsync(() => Task.FromResult(server.Count("backup/till/many/") == 2000), Patience, () => $"{server.Count("backup/till/many/")} arrived. {device.Program.Said}");
        device.Program.MemoryMiB.ShouldBeLessThan(80);
        await CountsArriveAsync(site, device);

        // What is written last is not lost with the workload.
        await File.WriteAllTextAsync(Path.Combine(export, "out", "last.txt"), "words");
        await site.Plane.KubectlAsync("delete", "edgeworkload", "till", "--timeout=20s");
        await Eventually.TrueAsync(() => Task.FromResult(server.Text("backup/till/last.txt") == "words"), Patience, () => device.Program.Said);
    }

    [Fact]
    public async Task A_large_file_survives_a_kill_and_a_cut_and_no_part_is_sent_twice()
    {
        await using var server = await ObjectServer.StartAsync();
        await using var network = new FaultyNetwork(server.Address);
        await using var site = await Site.StartAsync("--auto-approve");
        await using var device = site.Device(Id);
        await device.IsAsync("Connected", "True");
        await DataManifests.ApplyBucketAsync(site, server, int.Parse(network.Address.Split(':')[^1], CultureInfo.InvariantCulture), "maxKiBPerSecond: 24576");
        var export = Path.Combine(device.Folder, "volumes", "till", "out");
        await site.Plane.ApplyAsync(DataManifests.Workload("sleep 100000"));
        await Eventually.TrueAsync(() => Task.FromResult(Directory.Exists(Path.GetDirectoryName(export))), Patience, () => device.Program.Said);
        Directory.CreateDirectory(export);
        var content = RandomNumberGenerator.GetBytes(100 << 20);
        await File.WriteAllBytesAsync(Path.Combine(export, "large"), content);

        await Eventually.TrueAsync(() => Task.FromResult(server.Parts() >= 2), Patience, () => device.Program.Said);
        await device.KillAsync();
        var before = server.Parts();
        before.ShouldBeLessThan(13);
        device.StartAgain();
        await Eventually.TrueAsync(() => Task.FromResult(server.Parts() >= before + 2), Patience, () => device.Program.Said);
        network.Fault = Fault.Cut;
        await Task.Delay(TimeSpan.FromSeconds(1));
        network.Fault = Fault.None;
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(server.PathOf("backup/till/large"))), TimeSpan.FromSeconds(120), () => device.Program.Said);
        await Eventually.TrueAsync(() => Task.FromResult(new FileInfo(server.PathOf("backup/till/large")).Length == content.Length), Patience);
        SHA256.HashData(await File.ReadAllBytesAsync(server.PathOf("backup/till/large"))).ShouldBe(SHA256.HashData(content));
        // A part that was under way when it happened is sent again, one that had arrived is not.
        Stored(server, 1).ShouldBe(1);
        device.Program.Said.ShouldContain("going on with the upload");
    }

    [Fact]
    public async Task An_object_of_several_parts_is_compared_with_its_ETag_as_far_as_the_server_says_where_they_begin()
    {
        await using var server = await ObjectServer.StartAsync();
        await using var site = await Site.StartAsync("--auto-approve");
        await using var device = site.Device(Id);
        await device.IsAsync("Connected", "True");
        // The server knows of no parts: what is one part it can be asked for, of several it says nothing.
        server.Put("prices/right", "1;2;3", TagOfOnePart("1;2;3"));
        server.Put("prices/wrong", "1;2;3", TagOfOnePart("1;2;4"));
        server.Put("prices/unknown", "1;2;3", new string('0', 32) + "-2");
        await DataManifests.ApplyBucketAsync(site, server, server.Port);
        await site.Plane.ApplyAsync(DataManifests.Workload("sleep 100000"));
        var arriving = Path.Combine(device.Folder, "volumes", "till", "in");
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(Path.Combine(arriving, "right")) && File.Exists(Path.Combine(arriving, "unknown"))), Patience, () => device.Program.Said);
        await Eventually.TrueAsync(
            async () => (await site.Plane.FieldAsync("edgedevice", Id, ".status.workloads[0].message")).Contains("prices/wrong: what arrived has another checksum", StringComparison.Ordinal),
            Patience,
            () => device.Program.Said);
        File.Exists(Path.Combine(arriving, "wrong")).ShouldBeFalse();
        server.Put("prices/wrong", "1;2;4", TagOfOnePart("1;2;4"));
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(Path.Combine(arriving, "wrong"))), Patience, () => device.Program.Said);
        (await File.ReadAllTextAsync(Path.Combine(arriving, "wrong"))).ShouldBe("1;2;4");
        await Eventually.EqualsAsync("", () => site.Plane.FieldAsync("edgedevice", Id, ".status.workloads[0].message"), Patience);
    }

    private static async Task CountsArriveAsync(Site site, Device device)
    {
        using var folder = new TemporaryFolder();
        using var http = new HttpClient();
        var port = FreePort.Next();
        await using var prometheus = await Receivers.PrometheusAsync(folder, port);
        await site.Plane.KubectlAsync(
            "patch", "edgedevice", Id, "--type", "merge", "-p",
            $$$$$"""{"spec":{"metrics":{"receiverConfiguration":{"url":"http://127.0.0.1:{{{{{port.ToString(CultureInfo.InvariantCulture)}}}}}/api/v1/write"},"system":{"disabled":true},"dataTransfer":{"interval":2}}}}""");
        async Task<double> CountAsync(string what, string direction) =>
            await Receivers.QueryAsync(http, port, $"flotta_agent_datasync_{what}_transferred_counter{{edgedeviceid=\"{Id}\",workload_name=\"till\",direction=\"{direction}\",metric_source=\"data transfer\"}}") is { } said
                ? double.Parse(said, CultureInfo.InvariantCulture)
                : -1;
        await Eventually.TrueAsync(async () => await CountAsync("files", "ingress") >= 0, Patience, () => device.Program.Said);
        (await CountAsync("files", "ingress")).ShouldBe(1);
        (await CountAsync("bytes", "ingress")).ShouldBe("1;2;3".Length);
        (await CountAsync("files", "egress")).ShouldBeGreaterThanOrEqualTo(2003);
        (await CountAsync("time", "egress")).ShouldBeGreaterThan(0);
        (await CountAsync("deleted_files", "egress")).ShouldBe(0);
    }

    private static string TagOfOnePart(string content) => Convert.ToHexStringLower(MD5.HashData(MD5.HashData(Encoding.UTF8.GetBytes(content)))) + "-1";

    private static int Stored(ObjectServer server, int part) =>
        server.Said.Split('\n').Count(line => line.Contains(string.Create(CultureInfo.InvariantCulture, $"Stored part {part} of"), StringComparison.Ordinal));
}
