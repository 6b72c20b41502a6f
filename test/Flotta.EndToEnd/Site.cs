using System.Security.Cryptography;
using System.Text;

namespace Flotta.EndToEnd;

/// <summary>A control plane and a podman of their own in a temporary folder; devices are started on them.</summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly TemporaryFolder folder;

    private readonly ShiftedClock? clock;
    private readonly HashSet<string> devices = new(StringComparer.Ordinal);

    private Site(TemporaryFolder folder, EmbeddedControlPlane plane, PodmanHost podman, ShiftedClock? clock)
    {
        this.folder = folder;
        this.clock = clock;
        Plane = plane;
        Podman = podman;
    }

    public EmbeddedControlPlane Plane { get; }

    public PodmanHost Podman { get; }

    public static async Task<Site> StartAsync(params string[] flags)
    {
        var place = new TemporaryFolder();
        var podman = await PodmanHost.StartAsync();
        return new Site(place, await EmbeddedControlPlane.StartAsync(place.Sub("control-plane"), flags), podman, null);
    }

    /// <summary>Where control plane and devices go by a clock that the test sets.</summary>
    public static async Task<(Site Site, ShiftedClock Clock)> StartShiftedAsync(params string[] flags)
    {
        var place = new TemporaryFolder();
        var shifted = new ShiftedClock(Path.Combine(place.Path, "clock"));
        var podman = await PodmanHost.StartAsync();
        return (new Site(place, await EmbeddedControlPlane.StartAsync(place.Sub("control-plane"), shifted.Environment, flags), podman, shifted), shifted);
    }

    public Device Device(string id, string? server = null) => EndToEnd.Device.Start(Plane, Known(id), folder.Sub("device-" + id), Podman.Socket, clock?.Environment, server);

    public Device DeviceIn(string id, string data) => EndToEnd.Device.Start(Plane, Known(id), data, Podman.Socket, clock?.Environment);

    public Device AttachedDevice(string id) => EndToEnd.Device.StartAttached(Plane, Known(id), folder.Sub("device-" + id), Podman.Socket);

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

    /// <summary>The name of a device's table of nftables.</summary>
    public static string FirewallTable(string device) => "flotta_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(device)))[..12];

    private string Known(string id)
    {
        devices.Add(id);
        return id;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var id in devices)
            await RunningProgram.RunAsync("nft", ["delete", "table", "inet", FirewallTable(id)]);
        await Plane.DisposeAsync();
        await Podman.DisposeAsync();
        folder.Dispose();
    }
}
