using Flotta.EdgeApi;
using Flotta.EdgeApi.Statuses;
using Flotta.Kube;
using Flotta.Resources;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.EdgeApi;

public sealed class StatusWriterTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    [Fact]
    public async Task A_change_that_is_refused_takes_none_with_it_that_waited_beside_it()
    {
        var (id, client) = await world.DeviceAsync();
        client.Dispose();
        var key = new ObjectKey("default", id);
        var devices = new ObjectCache<EdgeDevice>(world.Kube, new ObjectCacheOptions<EdgeDevice>(), NullLoggerFactory.Instance, TimeProvider.System);
        using var writer = new StatusWriter(world.Kube, devices, new EdgeApiOptions(), NullLoggerFactory.Instance, TimeProvider.System);
        Func<EdgeDevice, EdgeDevice> Version(string version) => device => device with { Status = device.Status! with { LastSyncedResourceVersion = version } };
        var first = writer.ApplyAsync(key, Version("v1"), CancellationToken.None);
        // Nothing that the definition has a place for.
        var wrong = writer.ApplyAsync(key, device => device with { Status = device.Status! with { Hardware = new Hardware { Interfaces = [new NetworkInterface { Ipv6Addresses = [null!] }] } } }, CancellationToken.None);
        var last = writer.ApplyAsync(key, device => device with { Status = device.Status! with { Phase = "v1 and after" } }, CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var running = writer.RunAsync(stop.Token);
        await first.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        (await Should.ThrowAsync<KubeException>(() => wrong.WaitAsync(TimeSpan.FromSeconds(20)))).IsUnfit.ShouldBeTrue();
        await last.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        var status = (await world.FindAsync(id))!.Status!;
        (status.LastSyncedResourceVersion, status.Phase, status.Hardware?.Interfaces).ShouldBe(("v1", "v1 and after", null));
        await stop.CancelAsync();
        await running.ContinueWith(static _ => { }, TaskScheduler.Default);
    }
}
