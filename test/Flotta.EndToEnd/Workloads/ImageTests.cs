using System.Net;
using System.Net.Sockets;
using Flotta.Agent.Workloads;

namespace Flotta.EndToEnd.Workloads;

/// <summary>Images on a real podman: what the agent brought goes again, what was there before stays, and a registry that stalls holds nobody up.</summary>
public sealed class ImageTests
{
    private static readonly TimeSpan Patience = LoopOnPodman.Patience;

    [Fact]
    public async Task Only_images_that_the_agent_brought_and_that_nothing_uses_are_removed()
    {
        await using var device = await LoopOnPodman.StartAsync();
        using var client = new PodmanClient(device.Podman.Socket);
        foreach (var name in new[] { "brought", "used", "theirs" })
            await device.Podman.RunAsync("tag", PodmanHost.Image, $"localhost/{name}:1");
        var folders = new WorkloadFolders(device.Data);
        var images = new PulledImages(client, folders, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        await images.NoteAsync("localhost/brought:1", CancellationToken.None);
        await images.NoteAsync("localhost/used:1", CancellationToken.None);

        await images.SweepAsync(new HashSet<string>(StringComparer.Ordinal) { "localhost/used:1" }, now: false, CancellationToken.None);
        (await ListAsync(device)).ShouldContain("localhost/brought:1", Case.Sensitive, "it may be wanted again in a moment");
        await images.SweepAsync(new HashSet<string>(StringComparer.Ordinal) { "localhost/used:1" }, now: false, CancellationToken.None);
        var left = await ListAsync(device);
        left.ShouldNotContain("localhost/brought:1");
        left.ShouldContain("localhost/used:1");
        left.ShouldContain("localhost/theirs:1");
    }

    [Fact]
    public async Task A_registry_that_stalls_is_named_and_delays_nobody()
    {
        await using var device = await LoopOnPodman.StartAsync();
        using var registry = new TcpListener(IPAddress.Loopback, 0);
        registry.Start();
        var port = FreePort.Next();
        var image = $"127.0.0.1:{((IPEndPoint)registry.LocalEndpoint).Port}/stuck:1";
        device.Apply(Sample.Web("stuck", FreePort.Next(), image: image), Sample.Web("good", port));
        await Web.AnswersAsync(port, Patience);
        await device.ReasonAsync("stuck", Reasons.Pulling);
        device.State("stuck")!.Message!.ShouldContain(image);
        device.Apply(Sample.Web("good", port));
        await Eventually.TrueAsync(() => Task.FromResult(device.State("stuck") is null), Patience);
    }

    private static Task<string> ListAsync(LoopOnPodman device) => device.Podman.RunAsync("images", "--format", "{{.Repository}}:{{.Tag}}");
}
