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
    private SystemdScope? systemd;
    private TimeSpan? betweenUpdates;
    private CancellationTokenSource stop = new();
    private PodmanClient? client;
    private Task running = Task.CompletedTask;

    private LoopOnPodman(PodmanHost podman, bool ownsPodman, string deviceId) => (Podman, this.ownsPodman, DeviceId) = (podman, ownsPodman, deviceId);

    public PodmanHost Podman { get; }

    public string DeviceId { get; }

    public string Data => Path.Combine(folder.Path, "data");

    /// <summary>Where workloads are; the same but for containers of a user without rights.</summary>
    public string Place => systemd?.User is { Id: > 0 } user ? $"{Data}-{user.Name}" : Data;

    public WorkloadLoop Loop { get; private set; } = null!;

    public List<WorkloadEvent> Events { get; } = [];

    /// <param name="authority">Of registries.</param>
    /// <param name="betweenUpdates">How often it is looked whether an image has changed.</param>
    public static async Task<LoopOnPodman> StartAsync(string? authority = null, TimeSpan? betweenUpdates = null)
    {
        var loop = new LoopOnPodman(await PodmanHost.StartAsync(authority: authority), true, "till-07") { betweenUpdates = betweenUpdates };
        loop.StartAgain();
        return loop;
    }

    /// <param name="systemd">What starts workloads at boot.</param>
    public static LoopOnPodman StartOn(PodmanHost podman, string deviceId, SystemdScope systemd)
    {
        var loop = new LoopOnPodman(podman, false, deviceId) { systemd = systemd };
        // The user has to get through to the folder that is for it.
        File.SetUnixFileMode(loop.folder.Path, (UnixFileMode)0b111_000_001);
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
        Loop = new WorkloadLoop(client, DeviceId, Data, TimeProvider.System, NullLogger<WorkloadLoop>.Instance, user: systemd?.User is { Id: > 0 } user ? user : null, systemd: systemd) { BetweenUpdates = betweenUpdates ?? TimeSpan.FromHours(1) };
        running = Loop.RunAsync(stop.Token);
    }

    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await running;
        running = Task.CompletedTask;
        client!.Dispose();
    }

    public void Apply(params Workload[] workloads) => Loop.Apply(new DesiredWorkloads(workloads, []));

    public WorkloadState? State(string name) => Loop.States.FirstOrDefault(state => state.Name == name);

    public Task PhaseAsync(string name, string phase) =>
        Eventually.TrueAsync(() => Task.FromResult(State(name) is { } state && state.Phase == phase && state.Reason is null), Patience, Seen);

    /// <summary>It has run on for long enough to be what an update that fails gives way to.</summary>
    public Task ProvenAsync(string name) => Eventually.TrueAsync(() => Task.FromResult(File.Exists(Path.Combine(Place, "workloads", name, "last-good.json"))), Patience, Seen);

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
