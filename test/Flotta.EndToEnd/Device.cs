namespace Flotta.EndToEnd;

/// <summary><c>flotta-agent</c> as a process of its own.</summary>
internal sealed class Device : IAsyncDisposable
{
    private readonly ControlPlane plane;
    private readonly string socket;
    private string? server;
    private readonly IReadOnlyDictionary<string, string>? environment;

    private Device(ControlPlane plane, string id, string folder, string socket, IReadOnlyDictionary<string, string>? environment = null)
    {
        this.environment = environment;
        this.plane = plane;
        this.socket = socket;
        Id = id;
        Folder = folder;
        Program = null!;
    }

    public string Id { get; }

    public string Folder { get; }

    public RunningProgram Program { get; private set; }

    /// <summary>As a worker of our own daemon: two programs that speak the contract of yggdrasil with each other.</summary>
    public static Device StartAttached(ControlPlane plane, string id, string folder, string socket)
    {
        var device = new Device(plane, id, folder, socket);
        device.StartDaemon();
        return device;
    }

    /// <param name="server">Where the device believes its server to be, when not there.</param>
    public static Device Start(ControlPlane plane, string id, string folder, string socket, IReadOnlyDictionary<string, string>? environment = null, string? server = null)
    {
        var device = new Device(plane, id, folder, socket, environment) { server = server };
        device.StartAgain();
        return device;
    }

    public void StartAgain() => Program = RunningProgram.Start(
        Programs.Agent,
        [
            "--server", server ?? plane.EdgeServer, "--protocol", "http", "--path-prefix", "api/flotta-management/v1",
            "--ca-root", plane.Bootstrap("ca"), "--cert-file", plane.Bootstrap("cert"), "--key-file", plane.Bootstrap("key"),
            "--client-id", Id, "--data-dir", Folder, "--podman-socket", socket,
        ],
        environment);

    private void StartDaemon()
    {
        var workers = Directory.CreateDirectory(Path.Combine(Folder, "workers"));
        foreach (var name in new[] { "ca", "cert", "key" })
            File.Copy(plane.Bootstrap(name), Path.Combine(Folder, name + ".pem"));
        File.WriteAllText(Path.Combine(workers.FullName, "device-worker.toml"), $"exec = \"{Programs.Agent} worker --data-dir {Folder}/agent --podman-socket {socket}\"\nprotocol = \"grpc\"\n");
        File.WriteAllText(Path.Combine(Folder, "config.toml"), $"""
            server = "{plane.EdgeServer}"
            protocol = "http"
            path-prefix = "api/flotta-management/v1"
            client-id = "{Id}"
            ca-root = ["{Folder}/ca.pem"]
            cert-file = "{Folder}/cert.pem"
            key-file = "{Folder}/key.pem"
            data-dir = "{Folder}/daemon"
            """);
        Program = RunningProgram.Start(Programs.Agent, ["yggdrasil", "--config", Path.Combine(Folder, "config.toml")]);
    }

    public async Task KillAsync()
    {
        Program.Kill();
        await Program.DisposeAsync();
    }

    public Task IsAsync(string condition, string status, TimeSpan? deadline = null) => Eventually.EqualsAsync(
        status,
        () => plane.FieldAsync("edgedevice", Id, $".status.conditions[?(@.type==\"{condition}\")].status"),
        deadline ?? TimeSpan.FromSeconds(30));

    public Task WorkloadIsAsync(string workload, string phase, TimeSpan? deadline = null) => Eventually.EqualsAsync(
        phase,
        () => plane.FieldAsync("edgedevice", Id, $".status.workloads[?(@.name==\"{workload}\")].phase"),
        deadline ?? TimeSpan.FromSeconds(30));

    public ValueTask DisposeAsync() => Program.DisposeAsync();
}
