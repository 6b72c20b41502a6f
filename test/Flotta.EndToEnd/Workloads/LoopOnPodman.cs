using Flotta.Agent.Workloads;
using Flotta.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.EndToEnd.Workloads;

/// <summary>The agent's workload loop alone, on a real podman.</summary>
internal sealed class LoopOnPodman : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder folder = new();
    private readonly bool ownsPodman;
    private CancellationTokenSource stop = new();
    private PodmanClient? client;
    private Task running = Task.CompletedTask;

    private LoopOnPodman(PodmanHost podman, bool ownsPodman, string deviceId) => (Podman, this.ownsPodman, DeviceId) = (podman, ownsPodman, deviceId);

    public PodmanHost Podman { get; }

    public string DeviceId { get; }

    public string Data => Path.Combine(folder.Path, "data");

    public WorkloadLoop Loop { get; private set; } = null!;

    public List<WorkloadEvent> Events { get; } = [];

    public static async Task<LoopOnPodman> StartAsync()
    {
        var loop = new LoopOnPodman(await PodmanHost.StartAsync(), true, "till-07");
        loop.StartAgain();
        return loop;
    }

    public static LoopOnPodman StartOn(PodmanHost podman, string deviceId)
    {
        var loop = new LoopOnPodman(podman, false, deviceId);
        loop.StartAgain();
        return loop;
    }

    public void StartAgain()
    {
        stop = new CancellationTokenSource();
        client = new PodmanClient(Podman.Socket);
        Loop = new WorkloadLoop(client, DeviceId, Data, TimeProvider.System, NullLogger<WorkloadLoop>.Instance);
        running = Loop.RunAsync(stop.Token);
    }

    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await running;
        client!.Dispose();
    }

    public void Apply(params Workload[] workloads) => Loop.Apply(new DesiredWorkloads(workloads, []));

    public WorkloadState? State(string name) => Loop.States.FirstOrDefault(state => state.Name == name);

    public Task PhaseAsync(string name, string phase) =>
        Eventually.TrueAsync(() => Task.FromResult(State(name) is { } state && state.Phase == phase && state.Reason is null), Patience, Seen);

    public Task ReasonAsync(string name, string reason) => Eventually.TrueAsync(() => Task.FromResult(State(name)?.Reason == reason), Patience, Seen);

    public async Task EventAsync(string type, string reason)
    {
        await Eventually.TrueAsync(
            () =>
            {
                Events.AddRange(Loop.TakeEvents());
                return Task.FromResult(Events.Exists(happened => happened.Type == type && happened.Reason == reason));
            },
            Patience,
            () => string.Join('\n', Events) + "\n" + Seen());
    }

    public async Task<string[]> PodsAsync() =>
        (await Podman.RunAsync("pod", "ps", "--format", "{{.Name}} {{.Status}}")).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Who runs since when: the same text means that nothing was restarted or replaced.</summary>
    public Task<string> ContainersAsync() => Podman.RunAsync("ps", "-a", "--no-trunc", "--sort", "names", "--format", "{{.ID}} {{.StartedAt}}");

    /// <summary>The hash that a running container was made for; empty when there is none.</summary>
    public async Task<string> HashAsync(string container) =>
        (await Podman.RunAsync("ps", "--filter", $"name=^{container}$", "--format", "{{index .Labels \"project-flotta.io/hash\"}}")).Trim();

    public Task ReplacedAsync(string container, string hash) =>
        Eventually.TrueAsync(async () => await HashAsync(container) is { Length: > 0 } now && now != hash, Patience, Seen);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (ownsPodman)
            await Podman.DisposeAsync();
        folder.Dispose();
    }

    private string Seen() => string.Join('\n', Loop.States);
}
