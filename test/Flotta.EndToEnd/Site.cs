namespace Flotta.EndToEnd;

/// <summary>A control plane and a podman of their own in a temporary folder; devices are started on them.</summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly TemporaryFolder folder;

    private Site(TemporaryFolder folder, EmbeddedControlPlane plane, PodmanHost podman)
    {
        this.folder = folder;
        Plane = plane;
        Podman = podman;
    }

    public EmbeddedControlPlane Plane { get; }

    public PodmanHost Podman { get; }

    public static async Task<Site> StartAsync(params string[] flags)
    {
        var place = new TemporaryFolder();
        var podman = await PodmanHost.StartAsync();
        return new Site(place, await EmbeddedControlPlane.StartAsync(place.Sub("control-plane"), flags), podman);
    }

    public Device Device(string id) => EndToEnd.Device.Start(Plane, id, folder.Sub("device-" + id), Podman.Socket);

    public async Task<string[]> PodsAsync() =>
        (await Podman.RunAsync("pod", "ps", "--format", "{{.Name}}")).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Identity and start of every container of ours: the same text means that none was restarted or replaced.</summary>
    public async Task<string> ContainersAsync()
    {
        var all = await Podman.RunAsync("ps", "-a", "--no-trunc", "--filter", "label=project-flotta.io/managed=true", "--format", "{{.ID}} {{.StartedAt}}");
        all.ShouldNotBeEmpty();
        return all;
    }

    /// <summary>A variable as the container of a workload has it; empty while there is none.</summary>
    public async Task<string> EnvironmentAsync(string workload, string variable)
    {
        var containers = await Podman.RunAsync("ps", "--filter", $"label=project-flotta.io/workload={workload}", "--format", "{{.ID}} {{.IsInfra}}");
        foreach (var id in containers.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.EndsWith("false", StringComparison.Ordinal)).Select(line => line.Split(' ')[0]))
        {
            var environment = await Podman.RunAsync("inspect", "-f", "{{range .Config.Env}}{{println .}}{{end}}", id);
            if (environment.Split('\n').FirstOrDefault(line => line.StartsWith(variable + "=", StringComparison.Ordinal)) is { } line)
                return line[(variable.Length + 1)..];
        }

        return "";
    }

    public async ValueTask DisposeAsync()
    {
        await Plane.DisposeAsync();
        await Podman.DisposeAsync();
        folder.Dispose();
    }
}
