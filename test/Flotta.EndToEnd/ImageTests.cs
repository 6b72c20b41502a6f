using System.Text.RegularExpressions;

namespace Flotta.EndToEnd;

/// <summary>The container images that <c>make image</c> builds: the same twice, without a shell, not root, and they run.</summary>
public sealed class ImageTests : IAsyncLifetime
{
    private PodmanHost podman = null!;

    public async ValueTask InitializeAsync() => podman = await PodmanHost.StartAsync();

    public ValueTask DisposeAsync() => podman.DisposeAsync();

    [Fact]
    public async Task The_control_plane_runs_in_its_image_with_nothing_else_in_it()
    {
        const string image = "localhost/flotta:test";
        (await BuildAsync("control-plane", image)).ShouldBe(await BuildAsync("control-plane", "localhost/flotta:again"));
        (await podman.RunAsync("image", "inspect", image, "--format", "{{.Config.User}}")).ShouldBe("65532:65532");
        (await podman.RunAsync("run", "--rm", "--network", "none", image, "--help")).ShouldContain("edge-api");
        // A cluster may choose the user.
        (await podman.RunAsync("run", "--rm", "--network", "none", "--user", "12345:0", "--cap-drop", "all", image, "--help")).ShouldContain("edge-api");
        await HasNoShellAsync(image);

        // As in deploy/kubernetes: nothing but the folder for its state can be written to.
        await podman.RunAsync(
            "run", "--detach", "--log-driver", "k8s-file", "--name", "up", "--network", "host", "--read-only", "--read-only-tmpfs=false", "--cap-drop", "all", "--volume", "state:/var/lib/flotta", image,
            "up", "--data-dir", "/var/lib/flotta", "--kube-port", "0", "--edge-port", "0", "--metrics-port", "0");
        var said = "";
        await Eventually.TrueAsync(async () => (said = await podman.RunAsync("logs", "up")).Contains("metrics=", StringComparison.Ordinal), TimeSpan.FromSeconds(60), () => said);
        var metrics = Regex.Match(said, "metrics=(?<address>[^ \n]+)", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Groups["address"].Value;
        await Eventually.TrueAsync(
            async () => (await RunningProgram.RunAsync("curl", ["-sf", metrics + "/readyz"])).ExitCode == 0, TimeSpan.FromSeconds(30), () => $"{metrics}/readyz does not say that it is ready");
        await podman.RunAsync("stop", "--time", "20", "up");
        (await podman.RunAsync("inspect", "up", "--format", "{{.State.ExitCode}}")).ShouldBe("0");
    }

    [Fact]
    public async Task The_agent_runs_in_its_image()
    {
        const string image = "localhost/flotta-agent:test";
        (await BuildAsync("agent", image)).ShouldBe(await BuildAsync("agent", "localhost/flotta-agent:again"));
        (await podman.RunAsync("image", "inspect", image, "--format", "{{.Config.User}}")).ShouldBe("65532:65532");
        (await podman.RunAsync("run", "--rm", "--network", "none", image, "--help")).ShouldContain("--podman-socket");
        await HasNoShellAsync(image);
    }

    private async Task HasNoShellAsync(string image)
    {
        var name = "files-" + Guid.NewGuid().ToString("N")[..8];
        await podman.RunAsync("create", "--name", name, image);
        var archive = Path.Combine(Path.GetTempPath(), name + ".tar");
        try
        {
            await podman.RunAsync("export", "--output", archive, name);
            var (exitCode, files, _) = await RunningProgram.RunAsync("tar", ["tf", archive]);
            exitCode.ShouldBe(0);
            files.Split('\n').Where(file => file.EndsWith("/sh", StringComparison.Ordinal) || file.StartsWith("bin/", StringComparison.Ordinal)).ShouldBeEmpty();
        }
        finally
        {
            File.Delete(archive);
        }
    }

    /// <summary>Its digest.</summary>
    private async Task<string> BuildAsync(string kind, string name)
    {
        var (exitCode, _, said) = await RunningProgram.RunAsync(
            Path.Combine(Programs.Root, "scripts", "image.sh"), [kind, name],
            new Dictionary<string, string>(podman.Environment) { ["PODMAN"] = "podman " + string.Join(' ', podman.Flags) }, TimeSpan.FromMinutes(2));
        exitCode.ShouldBe(0, said);
        return await podman.RunAsync("image", "inspect", name, "--format", "{{.Digest}}");
    }
}
