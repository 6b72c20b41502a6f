using Flotta.Agent.Workloads;

namespace Flotta.Agent;

/// <summary>What the rest of the agent wants of the workloads; tests have no podman.</summary>
internal interface IWorkloads
{
    IReadOnlyList<WorkloadState> States { get; }

    event Action? Changed;

    void Apply(DesiredWorkloads desired);

    IReadOnlyList<WorkloadEvent> TakeEvents();

    Task RunAsync(CancellationToken cancellationToken);

    Task RemoveAllAsync(CancellationToken cancellationToken);

    /// <summary>Stops what runs, gracefully, and starts nothing, until resumed: the machine goes down.</summary>
    Task HaltAsync(CancellationToken cancellationToken);

    void Resume();
}

internal sealed class PodmanWorkloads(WorkloadLoop loop) : IWorkloads
{
    public IReadOnlyList<WorkloadState> States => loop.States;

    public event Action? Changed
    {
        add => loop.Changed += value;
        remove => loop.Changed -= value;
    }

    public void Apply(DesiredWorkloads desired) => loop.Apply(desired);

    public IReadOnlyList<WorkloadEvent> TakeEvents() => loop.TakeEvents();

    public Task RunAsync(CancellationToken cancellationToken) => loop.RunAsync(cancellationToken);

    public Task RemoveAllAsync(CancellationToken cancellationToken) => loop.RemoveAllAsync(cancellationToken);

    public Task HaltAsync(CancellationToken cancellationToken) => loop.HaltAsync(cancellationToken);

    public void Resume() => loop.Resume();
}
