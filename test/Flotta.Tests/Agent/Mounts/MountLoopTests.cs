using System.Text.Json;
using Flotta.Agent.Files;
using Flotta.Agent.Heartbeats;
using Flotta.Agent.Mounts;
using Flotta.Tests.ApiServer;
using Flotta.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent.Mounts;

public sealed class MountLoopTests
{
    [Fact]
    public async Task What_cannot_be_unmounted_is_not_mounted_over_and_stays_ours()
    {
        using var folder = new TemporaryFolder();
        // Not below /tmp, where nothing is mounted.
        var place = "/var/tmp/flotta-" + Guid.NewGuid().ToString("N");
        Directory.CreateDirectory(place);
        try
        {
            var type = File.ReadLines("/proc/filesystems").First(line => !line.StartsWith("nodev", StringComparison.Ordinal)).Trim();
            var before = new Mount { Device = "/dev/zero", Directory = place, Type = type, Options = "" };
            using var data = DataDirectory.Open(folder.File("data"));
            await File.WriteAllBytesAsync(data["mounts.json"], JsonSerializer.SerializeToUtf8Bytes([before], MountsJson.Default.ListMount), TestContext.Current.CancellationToken);
            var events = new EventQueue();
            // It is not there at all, which umount refuses as it does what is in use.
            using var mounts = new MountLoop(data, events, () => [before], NullLogger<MountLoop>.Instance, new FakeTimeProvider());
            using var stop = new CancellationTokenSource();
            mounts.Apply([before with { Device = "/dev/null" }]);
            var running = mounts.RunAsync(stop.Token);
            await Eventually.True(() => events.Peek().Entries.Count > 0);
            events.Peek().Entries.ShouldHaveSingleItem().Message!.ShouldContain("it cannot be unmounted");
            JsonSerializer.Deserialize(await File.ReadAllBytesAsync(data["mounts.json"], TestContext.Current.CancellationToken), MountsJson.Default.ListMount).ShouldBe([before]);
            mounts.Missing.ShouldBe([place]);
            await stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(running);
        }
        finally
        {
            Directory.Delete(place);
        }
    }
}
