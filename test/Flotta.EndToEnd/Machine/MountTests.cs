using Flotta.Agent.Files;
using Flotta.Agent.Hardware;
using Flotta.Agent.Heartbeats;
using Flotta.Agent.Mounts;
using Flotta.Agent.Processes;
using Flotta.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.EndToEnd.Machine;

/// <summary>Real mounts of a file system in a file.</summary>
public sealed class MountTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Mounts_follow_the_configuration_and_a_mount_in_use_is_not_torn_away()
    {
        using var folder = new TemporaryFolder();
        var device = await DiskAsync(Path.Combine(folder.Path, "disk.img"));
        var target = folder.Sub("target");
        using var data = DataDirectory.Open(folder.Sub("data"));
        var events = new EventQueue();
        using var mounts = new MountLoop(data, events, MountFacts.OfThisMachine, NullLogger<MountLoop>.Instance, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var running = mounts.RunAsync(stop.Token);
        try
        {
            // /tmp is refused: somebody's workload must not be able to hide the machine's own folders.
            mounts.Apply([new Mount { Device = device, Directory = target, Type = "ext4" }]);
            await Eventually.TrueAsync(() => Task.FromResult(events.Peek().Entries.Any(one => one.Reason == "MountFailed")), Patience);
            MountOf(target).ShouldBeNull();

            var place = Directory.CreateDirectory("/mnt/flotta-test-" + Guid.NewGuid().ToString("N")).FullName;
            try
            {
                var wanted = new Mount { Device = device, Directory = place, Type = "ext4", Options = "noatime" };
                mounts.Apply([wanted]);
                mounts.Missing.ShouldBe([place]);
                await Eventually.TrueAsync(() => Task.FromResult(MountOf(place) is not null && mounts.Missing.Count == 0), Patience);
                MountOf(place)!.Options!.ShouldContain("noatime");

                // The same again, and a workload's file that is open: nothing is mounted anew.
                var inUse = File.Create(Path.Combine(place, "open"));
                await using (inUse)
                {
                    mounts.Apply([wanted]);
                    mounts.Apply([]);
                    await Eventually.TrueAsync(() => Task.FromResult(events.Peek().Entries.Any(one => one.Message!.Contains("cannot be unmounted", StringComparison.Ordinal))), Patience);
                    MountOf(place).ShouldNotBeNull();
                }

                await Eventually.TrueAsync(() => Task.FromResult(MountOf(place) is null), Patience);
            }
            finally
            {
                await Tool.RunAsync("umount", ["--", place], null, Patience, CancellationToken.None);
                Directory.Delete(place);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await running.ContinueWith(static _ => { }, TaskScheduler.Default);
            await Tool.RunAsync("losetup", ["-d", device], null, Patience, CancellationToken.None);
        }
    }

    private static Mount? MountOf(string directory) => MountFacts.OfThisMachine().LastOrDefault(mount => mount.Directory == directory);

    private static async Task<string> DiskAsync(string file)
    {
        await using (var image = File.Create(file))
            image.SetLength(16 << 20);
        (await Tool.RunAsync("mkfs.ext4", ["-q", file], null, Patience, CancellationToken.None)).IsOk.ShouldBeTrue();
        var attached = await Tool.RunAsync("losetup", ["-f", "--show", file], null, Patience, CancellationToken.None);
        attached.IsOk.ShouldBeTrue(attached.Problem);
        return attached.Output.Trim();
    }
}
