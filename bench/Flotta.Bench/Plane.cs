namespace Flotta.Bench;

/// <summary>A control plane that is measured: where devices and kubectl reach it, and what all of it uses.</summary>
internal abstract class Plane(string folder) : IAsyncDisposable
{
    public string Folder { get; } = folder;

    public string Bootstrap => Path.Combine(Folder, "bootstrap");

    public string KubeconfigFile => Path.Combine(Folder, "kubeconfig");

    public string Log => Path.Combine(Folder, "log");

    /// <summary>The process that devices talk to.</summary>
    public abstract ServerProcess Edge { get; }

    /// <summary>CPU seconds of all of it, the store included.</summary>
    public abstract double CpuSeconds { get; }

    public string EdgeServer => $"127.0.0.1:{Edge.Port("edge")}";

    public KubeClient Kube() => new(File.ReadAllText(KubeconfigFile));

    public abstract Task RestartEdgeAsync();

    public abstract ValueTask DisposeAsync();
}

/// <summary><c>flotta up</c>: everything in one process.</summary>
internal sealed class EmbeddedPlane : Plane
{
    private ServerProcess _up = null!;

    private EmbeddedPlane(string folder)
        : base(folder)
    {
    }

    public override ServerProcess Edge => _up;

    public override double CpuSeconds => _up.CpuSeconds;

    public static async Task<EmbeddedPlane> StartAsync(string folder)
    {
        var plane = new EmbeddedPlane(folder);
        await plane.StartAsync("0", "0");
        return plane;
    }

    public override async Task RestartEdgeAsync()
    {
        var (kube, edge) = (_up.Port("kube"), _up.Port("edge"));
        await _up.DisposeAsync();
        await StartAsync($"{kube}", $"{edge}");
    }

    public override ValueTask DisposeAsync() => _up.DisposeAsync();

    private async Task StartAsync(string kubePort, string edgePort) => _up = await ServerProcess.StartAsync(
        "flotta", ["up", "--data-dir", Folder, "--kube-port", kubePort, "--edge-port", edgePort, "--metrics-port", "0", "--auto-approve"], Log, ("DOMAIN", "localhost"));
}
