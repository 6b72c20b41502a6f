using System.Security.Cryptography;
using Flotta.EndToEnd.Faults;

namespace Flotta.EndToEnd.DataSync;

/// <summary>The data folder on a file system that is too small for what is in the bucket, and then full to the brim.</summary>
public sealed class DataOnFullDiskTests
{
    private const string Id = DataManifests.Device;
    private const int Large = 40 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // A failure is followed by ever longer pauses.
    private static readonly TimeSpan NextAttempt = TimeSpan.FromSeconds(180);

    [Fact]
    public async Task What_does_not_fit_waits_in_the_bucket_until_there_is_room_and_nothing_else_waits_for_it()
    {
        await using var server = await ObjectServer.StartAsync();
        await using var site = await Site.StartAsync("--auto-approve");
        await using var disk = await SmallDisk.OfAsync("64m");
        await using var device = site.DeviceIn(Id, disk.Folder);
        await device.IsAsync("Connected", "True");
        var filler = Path.Combine(disk.Folder, "filler");
        await File.WriteAllBytesAsync(filler, new byte[40 << 20]);
        server.Put("prices/a-large", new string('x', Large));
        server.Put("prices/small", "fits");
        await DataManifests.ApplyBucketAsync(site, server, server.Port, "maxKiBPerSecond: 8192");
        await site.Plane.ApplyAsync(DataManifests.Workload("sleep 100000"));
        var (export, incoming) = (Path.Combine(disk.Folder, "volumes", "till"), Path.Combine(disk.Folder, "volumes", ".incoming"));
        await using var place = new WatchedPlace(Path.Combine(export, "in", "a-large"));
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(Path.Combine(export, "in", "small"))), Patience, () => device.Program.Said);
        await SaysAsync("the disk has no room");
        (await site.Plane.FieldAsync("edgedevice", Id, ".status.workloads[0].reason")).ShouldBe("DataNotSynchronised");
        server.Put("prices/small-and-later", "fits too");
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(Path.Combine(export, "in", "small-and-later"))), NextAttempt, () => device.Program.Said);

        // What fills the disk goes out, in parts of which none can be written down.
        var full = Path.Combine(export, "out", "full");
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        SmallDisk.Fill(full);
        new FileInfo(full).Length.ShouldBeGreaterThan(16 << 20);
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(server.PathOf("backup/till/full")) && new FileInfo(server.PathOf("backup/till/full")).Length == new FileInfo(full).Length), NextAttempt, () => device.Program.Said);
        SHA256.HashData(await File.ReadAllBytesAsync(server.PathOf("backup/till/full"))).ShouldBe(SHA256.HashData(await File.ReadAllBytesAsync(full)));
        disk.Free.ShouldBeLessThan(64 << 10);
        place.Seen.ShouldBeEmpty();
        File.Exists(server.PathOf("prices/a-large")).ShouldBeTrue();

        // There is room, until the disk fills up in the middle of the download.
        var process = device.Program.Id;
        File.Delete(full);
        File.Delete(filler);
        await Eventually.TrueAsync(() => Task.FromResult(Arriving(incoming) > 1 << 20), NextAttempt, () => device.Program.Said);
        SmallDisk.Fill(filler);
        await SaysAsync("the disk is full");
        Arriving(incoming).ShouldBe(0);
        place.Seen.ShouldBeEmpty();
        File.Delete(filler);
        await Eventually.TrueAsync(() => Task.FromResult(place.Seen.Count > 0), NextAttempt, () => device.Program.Said);
        await Eventually.EqualsAsync("", () => site.Plane.FieldAsync("edgedevice", Id, ".status.workloads[0].message"), Patience);
        place.Seen.ShouldBe([Large], "it was seen before it was whole");
        SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(export, "in", "a-large"))).ShouldBe(SHA256.HashData(await File.ReadAllBytesAsync(server.PathOf("prices/a-large"))));
        device.Program.Id.ShouldBe(process);
        device.Program.HasEnded.ShouldBeFalse();

        Task SaysAsync(string problem) => Eventually.TrueAsync(
            async () => (await site.Plane.FieldAsync("edgedevice", Id, ".status.workloads[0].message")).Contains(problem, StringComparison.Ordinal), NextAttempt, () => device.Program.Said);
    }

    [Fact]
    public async Task Who_does_not_want_it_any_more_is_told_of_it_no_more()
    {
        await using var server = await ObjectServer.StartAsync();
        await using var site = await Site.StartAsync("--auto-approve");
        await using var disk = await SmallDisk.OfAsync("16m");
        await using var device = site.DeviceIn(Id, disk.Folder);
        await device.IsAsync("Connected", "True");
        server.Put("prices/a-large", new string('x', 20 << 20));
        await DataManifests.ApplyBucketAsync(site, server, server.Port);
        await site.Plane.ApplyAsync(DataManifests.Workload("sleep 100000"));
        await Eventually.TrueAsync(
            async () => (await site.Plane.FieldAsync("edgedevice", Id, ".status.workloads[0].message")).Contains("the disk has no room", StringComparison.Ordinal),
            Patience,
            () => device.Program.Said);
        File.Delete(server.PathOf("prices/a-large"));
        await Eventually.EqualsAsync("", () => site.Plane.FieldAsync("edgedevice", Id, ".status.workloads[0].message"), Patience);
    }

    private static long Arriving(string incoming) => Directory.Exists(incoming) ? new DirectoryInfo(incoming).GetFiles().Sum(file => file.Length) : 0;

    /// <summary>Every size that a file is seen with at its place.</summary>
    private sealed class WatchedPlace : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task watching;
        private volatile IReadOnlyList<long> seen = [];

        public WatchedPlace(string path) => watching = WatchAsync(path);

        public IReadOnlyList<long> Seen => seen;

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await watching;
            stop.Dispose();
        }

        private async Task WatchAsync(string path)
        {
            while (!stop.IsCancellationRequested)
            {
                var file = new FileInfo(path);
                if (file.Exists && (seen.Count == 0 || seen[^1] != file.Length))
                    seen = [.. seen, file.Length];
                await Task.Delay(5, CancellationToken.None);
            }
        }
    }
}
