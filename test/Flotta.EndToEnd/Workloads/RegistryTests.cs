using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.EndToEnd.Workloads;

/// <summary>A real registry that wants a password: each workload has its own, and some follow what is behind a name.</summary>
public sealed class RegistryTests
{
    private static readonly TimeSpan Patience = LoopOnPodman.Patience;

    [Fact]
    public async Task Credentials_are_each_workloads_own_and_mended_ones_are_tried_at_once()
    {
        await using var registry = await Registry.StartAsync();
        await using var device = await LoopOnPodman.StartAsync(registry.Authority);
        await registry.PushAsync(device.Podman, PodmanHost.Image, "private/hello:1");
        var image = registry.Address + "/private/hello:1";
        var (right, wrong, none) = (FreePort.Next(), FreePort.Next(), FreePort.Next());
        Workload With(string name, int port, string? auth) => Sample.Web(name, port, image: image) with { ImageRegistries = auth is null ? null : new ImageRegistries(auth) };

        device.Apply(With("wrong", wrong, registry.AuthFileWith("guessed")), With("none", none, null));
        await device.ReasonAsync("wrong", Reasons.ImagePullFailed);
        await device.ReasonAsync("none", Reasons.ImagePullFailed);
        device.State("wrong")!.Message!.ShouldContain(image);
        (await device.PodsAsync()).ShouldBeEmpty();

        device.Apply(With("right", right, registry.AuthFile), With("wrong", wrong, registry.AuthFile));
        await Web.AnswersAsync(right, Patience);
        await Web.AnswersAsync(wrong, Patience);
        await device.PhaseAsync("right", "Running");
        var kept = string.Concat(Directory.GetFiles(device.Data, "*", SearchOption.AllDirectories).Select(File.ReadAllText));
        kept.ShouldNotContain(Registry.Credentials.Split(':')[1]);
    }

    [Fact]
    public async Task An_image_that_changes_in_its_registry_is_a_new_version_on_trial()
    {
        await using var registry = await Registry.StartAsync();
        await using var device = await LoopOnPodman.StartAsync(registry.Authority, TimeSpan.FromSeconds(1));
        await registry.PushAsync(device.Podman, PodmanHost.Image, "hello:stable");
        var image = registry.Address + "/hello:stable";
        var port = FreePort.Next();
        device.Apply(Sample.Web("hello", port, image: image) with
        {
            Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["io.containers.autoupdate"] = "registry" },
            ImageRegistries = new ImageRegistries(registry.AuthFile),
        });
        await Web.AnswersAsync(port, Patience);
        await device.ProvenAsync("hello");
        var first = await device.HashAsync("hello-web");
        (await device.HashAsync("hello-web")).ShouldBe(first, "nothing has changed there");

        await device.Podman.ImageWithPageAsync("localhost/next:1", "next");
        await registry.PushAsync(device.Podman, "localhost/next:1", "hello:stable");
        await device.ReplacedAsync("hello-web", first);
        await Web.AnswersAsync(port, Patience, "next");
        var second = await device.HashAsync("hello-web");
        await Eventually.TrueAsync(
            async () => (await File.ReadAllTextAsync(Path.Combine(device.Data, "workloads", "hello", "last-good.json"))).Contains(second, StringComparison.Ordinal), Patience);

        // One that cannot run: the one before serves on, though its name means another image by now.
        await device.Podman.ImageWithPageAsync("localhost/broken:1", page: null);
        await registry.PushAsync(device.Podman, "localhost/broken:1", "hello:stable");
        await device.ReasonAsync("hello", Reasons.StartFailed);
        device.State("hello")!.Message!.ShouldContain("the previous version runs on");
        await Web.AnswersAsync(port, Patience, "next");
        (await device.HashAsync("hello-web")).ShouldBe(second);

        await device.Podman.ImageWithPageAsync("localhost/mended:1", "mended");
        await registry.PushAsync(device.Podman, "localhost/mended:1", "hello:stable");
        await Web.AnswersAsync(port, Patience, "mended");
        await device.PhaseAsync("hello", "Running");
    }
}
