namespace Flotta.EndToEnd;

/// <summary><c>flotta-agent</c> as a process of its own.</summary>
internal sealed class Device : IAsyncDisposable
{
    private readonly ControlPlane plane;
    private readonly string socket;

    private Device(ControlPlane plane, string id, string folder, string socket)
    {
        this.plane = plane;
        this.socket = socket;
        Id = id;
        Folder = folder;
        Program = null!;
    }

    public string Id { get; }

    public string Folder { get; }

    public RunningProgram Program { get; private set; }

    public static Device Start(ControlPlane plane, string id, string folder, string socket)
    {
        var device = new Device(plane, id, folder, socket);
        device.StartAgain();
        return device;
    }

    public void StartAgain() => Program = RunningProgram.Start(
        Programs.Agent,
        [
            "--server", plane.EdgeServer, "--protocol", "http", "--path-prefix", "api/flotta-management/v1",
            "--ca-root", plane.Bootstrap("ca"), "--cert-file", plane.Bootstrap("cert"), "--key-file", plane.Bootstrap("key"),
            "--client-id", Id, "--data-dir", Folder, "--podman-socket", socket,
        ]);

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
